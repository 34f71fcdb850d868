"""Signals and weights of one layer, from which a rule computes the layer's step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jaxtyping as jt
import torch

from virtuallab.subject.network import signals
from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.synapse import Synapse


@dataclass(frozen=True)
class LayerView:
    """Signals and weights of one layer in one training step, for all subjects of a cohort.

    Parameters
    ----------
    synapse : Synapse
        The linear maps of the layer.
    pre : Tensor
        Input of the layer, in the layout of its synapse.
    post : Tensor
        Linear response, with the bias.
    error : Tensor or None
        Error at the response: gradient of each subject's mean loss. None without an error.
    weight, backward_weight : Tensor, (subject, post, pre, ...)
        The same tensor if the error returns through the forward weights.
    bias : Tensor or None, (subject, post)
    pseudogradient : Tensor or None, (subject, post, pre, ...)
        Correlation of input and error: the step of the forward weight in gradient descent.
    """

    synapse: Synapse
    pre: torch.Tensor
    post: torch.Tensor
    error: torch.Tensor | None
    weight: jt.Float[torch.Tensor, "subject post *pre"]
    backward_weight: jt.Float[torch.Tensor, "subject post *pre"]
    bias: torch.Tensor | None
    pseudogradient: torch.Tensor | None

    @classmethod
    def from_trace(
        cls, layer: PopulationLayer, trace: LayerTrace, pseudogradient: torch.Tensor | None = None
    ) -> LayerView:
        """View of a layer from its recorded signals, detached from torch's graph."""
        weight = layer.weight.detach()
        assert trace.post is not None
        return cls(
            synapse=trace.synapse,
            pre=trace.pre.detach(),
            post=trace.post.detach(),
            error=trace.error,
            weight=weight,
            backward_weight=weight if layer.backward_weight is None else layer.backward_weight,
            bias=None if layer.bias is None else layer.bias.detach(),
            pseudogradient=pseudogradient,
        )

    @cached_property
    def projection(self) -> torch.Tensor:
        """Linear response without the bias."""
        return self.post if self.bias is None else self.post - self.per_unit(self.bias)

    @property
    def samples(self) -> int:
        """Number of images in the batch."""
        return signals.batch_size(self.pre)

    @property
    def positions(self) -> int:
        """Number of positions at which one weight is used; 1 in a dense layer."""
        return self.synapse.positions(self.post)

    def scale(self, values: float | torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
        """Signal or weight times one number per subject."""
        return signals.scale(values, tensor)

    def per_unit(self, values: torch.Tensor) -> torch.Tensor:
        """View of ``(subject, post)`` that can be added to a response or multiply it."""
        return signals.per_unit(values, self.post)

    def add(
        self, step: torch.Tensor | None, values: float | torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        """Step plus a weight times one number per subject, in one pass through memory."""
        if step is None:
            return self.scale(values, weight)
        return torch.addcmul(step, weight, signals.per_subject(values, weight))
