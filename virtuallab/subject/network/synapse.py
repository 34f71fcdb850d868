"""What may be done with a layer's weights, whatever the layer's kind: maps with a subject axis.

A rule is written once, in ``project``, ``reconstruct`` and ``correlate``, and holds for dense
layers and for convolutions. The backward weight ``B`` has the forward weight's layout, so no rule
ever transposes; the one transposition lies in ``reconstruct``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import jaxtyping as jt
import torch
from torch import Tensor

Signal = jt.Float[Tensor, "..."]
Weight = jt.Float[Tensor, "subject post *pre"]
PerSubject = jt.Float[Tensor, " subject"]


@runtime_checkable
class Synapse(Protocol):
    """The linear map of one layer, for all subjects at once."""

    plain_gradient: ClassVar[bool]  # is torch's own gradient of `project` as quick as ours?

    def project(self, x: Signal, w: Weight, bias: Tensor | None = None) -> Signal:
        """Carry the layer's input forward: ``x W``, and the bias if there is one."""

    def reconstruct(self, z: Signal, b: Weight) -> Signal:
        """Carry an output back to where the input lives: ``z B`` transposed."""

    def correlate(self, x: Signal, z: Signal, like: Weight) -> Weight:
        """Sum over batch and positions of input times output, in the layout of ``like``."""

    def return_error(
        self, error: Signal, x: Signal, b: Weight, *, downward: bool
    ) -> tuple[Signal | None, Weight]:
        """Reconstruct the error through ``b`` (if ``downward``) and correlate it, in one pass."""

    def collect(self, error: Signal, subjects: int) -> jt.Float[Tensor, "subject post"]:
        """Sum over batch and positions: what a bias receives."""

    def positions(self, z: Signal) -> int:
        """Count the places at which one weight is used: 1 for a dense layer."""


@dataclass(frozen=True)
class Dense:
    """All-to-all synapses: signals ``(subject, batch, unit)``, weights ``(subject, post, pre)``."""

    plain_gradient: ClassVar[bool] = False  # transposed in memory: all that reads it is slower

    def project(self, x: Signal, w: Weight, bias: Tensor | None = None) -> Signal:
        """``x W`` as a batched matrix product."""
        if bias is None:
            return torch.bmm(x, w.transpose(1, 2))
        return torch.baddbmm(bias.unsqueeze(1), x, w.transpose(1, 2))

    def reconstruct(self, z: Signal, b: Weight) -> Signal:
        """``z B`` transposed, as a batched matrix product."""
        return torch.bmm(z, b)

    def correlate(self, x: Signal, z: Signal, like: Weight) -> Weight:
        """Sum over the batch of the outer product."""
        return torch.bmm(z.transpose(1, 2), x)

    def return_error(
        self, error: Signal, x: Signal, b: Weight, *, downward: bool
    ) -> tuple[Signal | None, Weight]:
        """Two matrix products."""
        down = self.reconstruct(error, b) if downward else None
        return down, self.correlate(x, error, b)

    def collect(self, error: Signal, subjects: int) -> jt.Float[Tensor, "subject post"]:
        """Sum over the batch."""
        return error.sum(1)

    def positions(self, z: Signal) -> int:
        """One."""
        return 1


@dataclass(frozen=True)
class Conv:
    """Convolutional synapses: the subjects are the groups of one grouped convolution.

    Signals are ``(batch, subject*channel, height, width)``, weights
    ``(subject, post, pre, height, width)``.

    Parameters
    ----------
    stride, padding, dilation : pair of int
    groups : int
        Groups of one subject's own convolution.
    field : pair of int
        Height and width of the input, which a stride leaves open on the way back.
    """

    plain_gradient: ClassVar[bool] = True

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    field: tuple[int, int]

    def project(self, x: Signal, w: Weight, bias: Tensor | None = None) -> Signal:
        """Convolve each subject's input with its own kernels."""
        return torch.nn.functional.conv2d(
            x,
            w.flatten(0, 1),
            None if bias is None else bias.flatten(),
            self.stride,
            self.padding,
            self.dilation,
            self.groups * len(w),
        )

    def reconstruct(self, z: Signal, b: Weight) -> Signal:
        """Transposed convolution with ``b``."""
        if b.shape[2] == self.groups == 1:
            # Many channels into one have no quick kernel; each by itself, summed after, take a
            # third of the time. It is what an alignment rule asks of the first layer.
            each = self._reconstruct(z, b.flatten(0, 1).unsqueeze(1))
            return each.view(len(z), len(b), -1, *self.field).sum(2)
        return self._reconstruct(z, b)

    def _reconstruct(self, z: Signal, b: Weight) -> Signal:
        # Only the input's shape and layout are read: memory nobody has touched stands for it.
        x = torch.empty(
            (len(z), len(b) * self.groups * b.shape[2], *self.field),
            dtype=z.dtype,
            device=z.device,
            memory_format=torch.channels_last,
        )
        down = self._backward(z, x, b, (True, False))[0]
        assert down is not None
        return down

    def correlate(self, x: Signal, z: Signal, like: Weight) -> Weight:
        """Weight gradient of the convolution, with ``z`` in the place of the output's gradient."""
        weight = self._backward(z, x, like, (False, True))[1]
        assert weight is not None
        return weight.view_as(like)

    def return_error(
        self, error: Signal, x: Signal, b: Weight, *, downward: bool
    ) -> tuple[Signal | None, Weight]:
        """Return both gradients from one call; the weight gradient does not read ``b``'s values."""
        down, weight = self._backward(error, x, b, (downward, True))
        assert weight is not None
        return down, weight.view_as(b)

    def collect(self, error: Signal, subjects: int) -> jt.Float[Tensor, "subject post"]:
        """Sum over batch and positions."""
        return error.sum((0, 2, 3)).view(subjects, -1)

    def positions(self, z: Signal) -> int:
        """Height times width of the output."""
        return z.shape[-2] * z.shape[-1]

    def _backward(
        self, z: Tensor, x: Tensor, w: Tensor, wanted: tuple[bool, bool]
    ) -> tuple[Tensor | None, Tensor | None]:
        down, weight, _ = torch.ops.aten.convolution_backward(
            z,
            x,
            w.flatten(0, 1),
            None,
            self.stride,
            self.padding,
            self.dilation,
            False,
            (0, 0),
            self.groups * len(w),
            (*wanted, False),
        )
        return down, weight
