"""Linear maps of a layer for all subjects of a cohort: dense and convolutional.

A rule is written in terms of ``project``, ``reconstruct`` and ``correlate``, and holds for both
kinds. The backward weight ``B`` has the layout of the forward weight, so rules never transpose; the
only transposition is in ``reconstruct``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import torch

from virtuallab.subject.network.convolution import convolution, convolution_gradients
from virtuallab.subject.network.precision import operands, promoted_dtype


class Synapse(ABC):
    """Linear map of one layer.

    Signals have the layouts of :mod:`virtuallab.subject.network.signals`, weights are ``(subject,
    post, pre, ...)``.
    """

    autograd_is_fast: ClassVar[bool]  # whether torch's gradient of `project` is as fast

    @abstractmethod
    def project(
        self,
        x: torch.Tensor,
        w: jt.Float[torch.Tensor, "subject post *pre"],
        bias: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Linear response ``x W`` to the layer's input, plus the bias if there is one."""

    @abstractmethod
    def reconstruct(
        self, z: torch.Tensor, b: jt.Float[torch.Tensor, "subject post *pre"]
    ) -> torch.Tensor:
        """Signal at the layer's input: a response ``z`` times ``B`` transposed."""

    @abstractmethod
    def correlate(
        self, x: torch.Tensor, z: torch.Tensor, like: jt.Float[torch.Tensor, "subject post *pre"]
    ) -> jt.Float[torch.Tensor, "subject post *pre"]:
        """Sum of input times response over batch and positions, in the layout of ``like``."""

    def backpropagate(
        self,
        error: torch.Tensor,
        x: torch.Tensor,
        b: jt.Float[torch.Tensor, "subject post *pre"],
        *,
        downward: bool,
    ) -> tuple[torch.Tensor | None, jt.Float[torch.Tensor, "subject post *pre"]]:
        """Reconstruction of an error (if ``downward``) and its correlation with the input."""
        down = self.reconstruct(error, b) if downward else None
        return down, self.correlate(x, error, b)

    @abstractmethod
    def sum_batch(self, z: torch.Tensor, subjects: int) -> jt.Float[torch.Tensor, "subject post"]:
        """Sum of a response over batch and positions."""

    @abstractmethod
    def positions(self, z: torch.Tensor) -> int:
        """Number of positions at which one weight is used; 1 in a dense layer."""


@dataclass(frozen=True)
class Dense(Synapse):
    """All-to-all synapses with weights ``(subject, post, pre)``."""

    autograd_is_fast = False  # its result is transposed in memory, which slows later operations

    def project(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Batched matrix product with the transposed weight."""
        if bias is None:
            return torch.bmm(x, w.transpose(1, 2))
        return torch.baddbmm(bias.unsqueeze(1), x, w.transpose(1, 2))

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Batched matrix product with ``b``."""
        return torch.bmm(*operands(z, b))

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Sum of outer products over the batch."""
        z, x = operands(z, x)
        return torch.bmm(z.transpose(1, 2), x).to(like.dtype)

    def sum_batch(self, z: torch.Tensor, subjects: int) -> torch.Tensor:
        """Sum over the batch, ``(subject, post)``."""
        return z.sum(1, dtype=promoted_dtype(z))

    def positions(self, z: torch.Tensor) -> int:
        """One."""
        return 1


class _MapSynapse(Synapse):
    """Synapses of maps, whose signals are ``(batch, subject*channel, height, width)``."""

    def sum_batch(self, z: torch.Tensor, subjects: int) -> torch.Tensor:
        """Sum over batch and positions."""
        return z.sum((0, 2, 3), dtype=promoted_dtype(z)).view(subjects, -1)

    def positions(self, z: torch.Tensor) -> int:
        """Height times width of the response."""
        return z.shape[-2] * z.shape[-1]


@dataclass(frozen=True)
class Conv(_MapSynapse):
    """Convolutional synapses with weights ``(subject, post, pre, height, width)``.

    Subjects are groups of one grouped convolution. ``groups`` counts the groups of one subject;
    ``field`` is the height and width of the input, which a strided output does not determine.
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
        """Convolution of each subject's input with its own kernels."""
        offset = None if bias is None else bias.flatten()
        options, groups = (self.stride, self.padding, self.dilation), self.groups * len(w)
        return convolution(x, w.flatten(0, 1), offset, *options, groups=groups)

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Transposed convolution with ``b``."""
        if b.shape[2] == self.groups == 1:
            # Torch is slow at many channels into one. One channel at a time, summed afterwards,
            # takes a third of the time; alignment rules need it in the first layer.
            each = self._reconstruct(z, b.flatten(0, 1).unsqueeze(1))
            return each.view(len(z), len(b), -1, *self.field).sum(2)
        return self._reconstruct(z, b)

    def _reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        z, b = operands(z, b)
        # Only the shape and layout of the input are read, so its memory is not initialised.
        shape = (len(z), len(b) * self.groups * b.shape[2], *self.field)
        x = torch.empty(shape, dtype=z.dtype, device=z.device, memory_format=torch.channels_last)
        down = self._backward(z, x, b, (True, False))[0]
        assert down is not None
        return down

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Weight gradient of the convolution for the output gradient ``z``."""
        weight = self._backward(z, x, like, (False, True))[1]
        assert weight is not None
        return weight.view_as(like)

    def backpropagate(
        self, error: torch.Tensor, x: torch.Tensor, b: torch.Tensor, *, downward: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor]:
        """Both gradients in one call; the weight gradient does not depend on ``b``."""
        down, weight, _ = self._backward(error, x, b, (downward, True))
        assert weight is not None
        return down, weight.view_as(b)

    def gradients(
        self, error: torch.Tensor, x: torch.Tensor, w: torch.Tensor, *, downward: bool, bias: bool
    ) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor | None]:
        """All three in one call."""
        down, weight, offset = self._backward(error, x, w, (downward, True), bias=bias)
        assert weight is not None
        return down, weight.view_as(w), None if offset is None else offset.view(len(w), -1)

    def _backward(
        self,
        z: torch.Tensor,
        x: torch.Tensor,
        w: torch.Tensor,
        wanted: tuple[bool, bool],
        *,
        bias: bool = False,
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        options, groups = (self.stride, self.padding, self.dilation), self.groups * len(w)
        return convolution_gradients(
            z, x, w.flatten(0, 1), *options, groups=groups, wanted=(*wanted, bias)
        )


@dataclass(frozen=True)
class TransposedConv(_MapSynapse):
    """Synapses of a transposed convolution, with weights ``(subject, post, pre, height, width)``.

    It is the adjoint of a convolution from its response to its input: with groups, ``pre`` counts
    the inputs of one group. ``field`` is the height and width of the input.
    """

    autograd_is_fast = True

    stride: tuple[int, int]
    padding: tuple[int, int]
    added: tuple[int, int]  # rows and columns added to the response, where a stride allows several
    dilation: tuple[int, int]
    groups: int
    field: tuple[int, int]

    def project(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Transposed convolution of each subject's input with its own kernels."""
        offset = None if bias is None else bias.flatten()
        options = (self.stride, self.padding, self.added, self.dilation)
        kernels, groups = self._kernels(w), self.groups * len(w)
        return convolution(x, kernels, offset, *options, groups=groups, transposed=True)

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Convolution with ``b``."""
        options, groups = (self.stride, self.padding, self.dilation), self.groups * len(b)
        return convolution(z, self._kernels(b), None, *options, groups=groups)

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Weight gradient of the adjoint convolution, from ``z`` to ``x``."""
        options, groups = (self.stride, self.padding, self.dilation), self.groups * len(like)
        _, found, _ = convolution_gradients(
            x, z, self._kernels(like), *options, groups=groups, wanted=(False, True, False)
        )
        assert found is not None
        subjects, post, pre, *size = like.shape
        parts = found.view(subjects, self.groups, pre, post // self.groups, *size)
        return parts.transpose(2, 3).reshape(like.shape)

    def positions(self, z: torch.Tensor) -> int:
        """Height times width of the input."""
        return self.field[0] * self.field[1]

    def _kernels(self, w: torch.Tensor) -> torch.Tensor:
        """Weights as torch's transposed convolutions keep them, ``(pre, post of a group, ...)``."""
        subjects, post, pre, *size = w.shape
        parts = w.view(subjects, self.groups, post // self.groups, pre, *size)
        return parts.transpose(2, 3).reshape(subjects * self.groups * pre, -1, *size)


@dataclass(frozen=True)
class Pointwise(_MapSynapse):
    """Synapses of a dense layer used at every position, with weights ``(subject, post, pre)``.

    Positions are those of a convolution of one pixel, whose layout the signals have; the tokens of
    a sequence are positions ``(1, token)``.
    """

    autograd_is_fast = False

    def project(
        self, x: torch.Tensor, w: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Batched matrix product with the transposed weight, at every position."""
        return self._signal(Dense().project(self._rows(x, len(w)), w, bias), x)

    def reconstruct(self, z: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Batched matrix product with ``b``, at every position."""
        return self._signal(Dense().reconstruct(self._rows(z, len(b)), b), z)

    def correlate(self, x: torch.Tensor, z: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Sum of outer products over batch and positions."""
        return Dense().correlate(self._rows(x, len(like)), self._rows(z, len(like)), like)

    @staticmethod
    def _rows(signal: torch.Tensor, subjects: int) -> torch.Tensor:
        """Signal as that of a dense layer, ``(subject, batch*position, unit)``."""
        units = signal.shape[1] // subjects
        return signal.permute(0, 2, 3, 1).reshape(-1, subjects, units).transpose(0, 1)

    @staticmethod
    def _signal(rows: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Inverse of ``_rows``: batch and positions are those of ``like``."""
        joined = rows.transpose(0, 1).reshape(len(like), *like.shape[2:], -1)
        return joined.permute(0, 3, 1, 2)
