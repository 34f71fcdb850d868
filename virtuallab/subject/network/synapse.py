"""The linear maps of a layer, for all subjects at once: dense and convolutional.

A rule is written once, in ``project``, ``reconstruct`` and ``correlate``, and holds for both kinds.
The backward weight ``B`` has the layout of the forward weight, so rules never transpose; the only
transposition is in ``reconstruct``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import torch


class Synapse(ABC):
    """The linear map of one layer.

    Signals have the layouts of :mod:`virtuallab.subject.network.signals`, weights are ``(subject,
    post, pre, ...)``.
    """

    autograd_is_fast: ClassVar[bool]  # is torch's gradient of `project` as fast as ours?

    @abstractmethod
    def project(
        self,
        x: torch.Tensor,
        w: jt.Float[torch.Tensor, "subject post *pre"],
        bias: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Map the layer's input to its linear response: ``x W``, plus the bias if there is one."""

    @abstractmethod
    def reconstruct(
        self, z: torch.Tensor, b: jt.Float[torch.Tensor, "subject post *pre"]
    ) -> torch.Tensor:
        """Map a response back to the layer's input: ``z B`` transposed."""

    @abstractmethod
    def correlate(
        self, x: torch.Tensor, z: torch.Tensor, like: jt.Float[torch.Tensor, "subject post *pre"]
    ) -> jt.Float[torch.Tensor, "subject post *pre"]:
        """Sum input times response over batch and positions, in the layout of ``like``."""

    @abstractmethod
    def backpropagate(
        self,
        error: torch.Tensor,
        x: torch.Tensor,
        b: jt.Float[torch.Tensor, "subject post *pre"],
        *,
        downward: bool,
    ) -> tuple[torch.Tensor | None, jt.Float[torch.Tensor, "subject post *pre"]]:
        """Reconstruct the error through ``b`` (if ``downward``) and correlate it with the input."""

    @abstractmethod
    def sum_batch(self, z: torch.Tensor, subjects: int) -> jt.Float[torch.Tensor, "subject post"]:
        """Sum a response over batch and positions."""

    @abstractmethod
    def positions(self, z: torch.Tensor) -> int:
        """Count the places at which one weight is used: 1 in a dense layer."""


@dataclass(frozen=True)
class Dense(Synapse):
    """All-to-all synapses: weights ``(subject, post, pre)``."""

    autograd_is_fast = False  # its result is transposed in memory, which slows all that reads it

    def project(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Multiply by the weight, as one batched matrix product."""
        if bias is None:
            return torch.bmm(x, w.transpose(1, 2))
        return torch.baddbmm(bias.unsqueeze(1), x, w.transpose(1, 2))

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Multiply by the transposed weight, as one batched matrix product."""
        return torch.bmm(z, b)

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Sum the outer products over the batch."""
        return torch.bmm(z.transpose(1, 2), x)

    def backpropagate(
        self, error: torch.Tensor, x: torch.Tensor, b: torch.Tensor, *, downward: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Two matrix products."""
        down = self.reconstruct(error, b) if downward else None
        return down, self.correlate(x, error, b)

    def sum_batch(self, z: torch.Tensor, subjects: int) -> torch.Tensor:
        """Sum over the batch."""
        return z.sum(1)

    def positions(self, z: torch.Tensor) -> int:
        """One."""
        return 1


@dataclass(frozen=True)
class Conv(Synapse):
    """Convolutional synapses: the subjects are the groups of one grouped convolution.

    Weights are ``(subject, post, pre, height, width)``.

    Parameters
    ----------
    stride, padding, dilation : pair of int
    groups : int
        Groups of one subject's own convolution.
    field : pair of int
        Height and width of the input, which the output's size does not determine under a stride.
    """

    autograd_is_fast = True

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    field: tuple[int, int]

    def project(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Convolve each subject's input with its own kernels."""
        shift = None if bias is None else bias.flatten()
        options = (self.stride, self.padding, self.dilation, self.groups * len(w))
        return torch.nn.functional.conv2d(x, w.flatten(0, 1), shift, *options)

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Transposed convolution with ``b``."""
        if b.shape[2] == self.groups == 1:
            # Torch is slow at many channels into one. Each by itself, summed afterwards, takes a
            # third of the time; the first layer needs it under alignment rules.
            each = self._reconstruct(z, b.flatten(0, 1).unsqueeze(1))
            return each.view(len(z), len(b), -1, *self.field).sum(2)
        return self._reconstruct(z, b)

    def _reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        # Only the input's shape and layout are read, so uninitialised memory can stand for it.
        shape = (len(z), len(b) * self.groups * b.shape[2], *self.field)
        x = torch.empty(shape, dtype=z.dtype, device=z.device, memory_format=torch.channels_last)
        down = self._backward(z, x, b, (True, False))[0]
        assert down is not None
        return down

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Weight gradient of the convolution, with ``z`` as the gradient of its output."""
        weight = self._backward(z, x, like, (False, True))[1]
        assert weight is not None
        return weight.view_as(like)

    def backpropagate(
        self, error: torch.Tensor, x: torch.Tensor, b: torch.Tensor, *, downward: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Both gradients from one call; the weight gradient does not read the values of ``b``."""
        down, weight = self._backward(error, x, b, (downward, True))
        assert weight is not None
        return down, weight.view_as(b)

    def sum_batch(self, z: torch.Tensor, subjects: int) -> torch.Tensor:
        """Sum over batch and positions."""
        return z.sum((0, 2, 3)).view(subjects, -1)

    def positions(self, z: torch.Tensor) -> int:
        """Height times width of the response."""
        return z.shape[-2] * z.shape[-1]

    def _backward(
        self, z: torch.Tensor, x: torch.Tensor, w: torch.Tensor, wanted: tuple[bool, bool]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        options = (self.stride, self.padding, self.dilation, False, (0, 0), self.groups * len(w))
        down, weight, _ = torch.ops.aten.convolution_backward(
            z, x, w.flatten(0, 1), None, *options, (*wanted, False)
        )
        return down, weight
