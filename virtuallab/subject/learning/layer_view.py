"""What one layer may know at one step: its input, its response, the error, its two weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from virtuallab.subject.network.signals import spread

if TYPE_CHECKING:
    from virtuallab.subject.network.synapse import Signal, Synapse, Weight


@dataclass(frozen=True)
class Local:
    """One layer of all subjects of a cohort, at one training step.

    Parameters
    ----------
    synapse : Synapse
        The layer's maps.
    pre : Tensor
        The layer's input, in the synapse's layout.
    post : Tensor
        Its linear response, with the bias.
    error : Tensor or None
        The error that arrived at the response, of each subject's mean loss over the batch; None
        where none arrives.
    forward, backward : Tensor
        The weights ``(subject, post, pre, ...)``; they are the same where weights are transported.
    bias : Tensor or None
        ``(subject, post)``.
    pseudogradient : Tensor or None
        Correlation of input and error: the gradient that the forward weight would follow.
    """

    synapse: Synapse
    pre: Signal
    post: Signal
    error: Signal | None
    forward: Weight
    backward: Weight
    bias: torch.Tensor | None
    pseudogradient: Weight | None

    @cached_property
    def projection(self) -> Signal:
        """The input through the forward weight alone, without the bias."""
        if self.bias is None:
            return self.post
        shift = self.bias.unsqueeze(1) if self.post.dim() == 3 else self.bias.view(1, -1, 1, 1)
        return self.post - shift

    @property
    def samples(self) -> int:
        """Images in the batch."""
        return self.pre.shape[1] if self.pre.dim() == 3 else self.pre.shape[0]

    @property
    def positions(self) -> int:
        """Places at which one weight is used: 1 in a dense layer."""
        return self.synapse.positions(self.post)

    def weigh(self, coefficient: float | torch.Tensor, step: Weight) -> Weight:
        """Multiply each subject's step by its own coefficient."""
        return step * spread(coefficient, step)

    def add(self, step: Weight | None, coefficient: float | torch.Tensor, weight: Weight) -> Weight:
        """Add a weight times each subject's own coefficient, in one pass through memory."""
        if step is None:
            return self.weigh(coefficient, weight)
        return torch.addcmul(step, weight, spread(coefficient, weight))

    def scale(self, coefficient: float | torch.Tensor, signal: Signal) -> Signal:
        """Multiply each subject's signal by its own coefficient."""
        if not isinstance(coefficient, torch.Tensor) or signal.dim() == 3:
            return signal * spread(coefficient, signal)
        of_channel = coefficient.repeat_interleave(signal.shape[1] // len(coefficient))
        return signal * of_channel.view(1, -1, 1, 1)
