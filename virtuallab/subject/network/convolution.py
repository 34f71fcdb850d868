"""Torch's grouped convolutions and their gradients, in the precision of a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from virtuallab.subject.network.precision import full_precision, operands, promoted


def convolution(
    x: torch.Tensor,
    kernels: torch.Tensor,
    offset: torch.Tensor | None,
    *options: Any,
    groups: int,
    transposed: bool = False,
) -> torch.Tensor:
    """Convolution of a signal, or its adjoint, in the operands' precision.

    Parameters
    ----------
    x : Tensor, (batch, channel, height, width)
    kernels : Tensor
        In torch's layout.
    offset : Tensor or None, (channel,)
    *options
        Stride, padding and dilation; of the adjoint stride, padding and output padding, and
        dilation as the last.
    groups : int
        Of all subjects.
    transposed : bool
    """
    function: Callable[..., torch.Tensor]
    if transposed:
        *first, last = options
        function, arguments = torch.nn.functional.conv_transpose2d, (*first, groups, last)
    else:
        function, arguments = torch.nn.functional.conv2d, (*options, groups)
    given = (x, kernels) if offset is None else (x, kernels, offset)

    def convolved(x: torch.Tensor, kernels: torch.Tensor, *offset: torch.Tensor) -> torch.Tensor:
        return function(x, kernels, *(offset or (None,)), *arguments)

    rounded = operands(*given)
    if not _reads_across_groups(rounded[1], groups):
        return convolved(*rounded)
    with full_precision(x):
        return convolved(*map(promoted, rounded)).to(rounded[0].dtype)


def convolution_gradients(
    error: torch.Tensor,
    x: torch.Tensor,
    kernels: torch.Tensor,
    *options: Any,
    groups: int,
    wanted: Sequence[bool],
) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
    """Gradients of a convolution for its input, its kernels and its offset.

    Parameters
    ----------
    error : Tensor, (batch, channel, height, width)
        At the response.
    x : Tensor, (batch, channel, height, width)
        Input.
    kernels : Tensor
    *options
        Stride, padding and dilation.
    groups : int
        Of all subjects.
    wanted : sequence of bool
        Which of the three are computed.

    Returns
    -------
    three of Tensor or None
        That of the input in the operands' precision, the others in that of the kernels.
    """
    arguments = ([error.shape[1]] if wanted[2] else None, *options, False, (0, 0), groups, wanted)
    rounded = operands(error, x, kernels)
    dtype = rounded[0].dtype
    if _reads_across_groups(rounded[2], groups):
        rounded = tuple(map(promoted, rounded))
    found = torch.ops.aten.convolution_backward(*rounded, *arguments)
    down, step, offset = (
        None if each is None else each.to(kind)
        for each, kind in zip(found, (dtype, kernels.dtype, kernels.dtype), strict=True)
    )
    return down, step, offset


def _reads_across_groups(kernels: torch.Tensor, groups: int) -> bool:
    """True if torch may multiply a channel of another group, times zero.

    In bfloat16, oneDNN takes channels in pairs. Where a group has an odd number of them, it reads
    the first channel of the next group, which is another subject's: zero times a number that is not
    finite is not zero, and a subject that diverges would change its neighbour. Such convolutions of
    rounded numbers are computed in float32.
    """
    if groups == 1 or kernels.dtype != torch.bfloat16 or kernels.device.type != "cpu":
        return False
    return bool(kernels.shape[0] // groups % 2 or kernels.shape[1] % 2)
