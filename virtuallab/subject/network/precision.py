"""Precision of the arithmetic in a training step.

With mixed precision, signals and the products of signals with weights are in bfloat16, which has
the range of float32 with 8 significant bits instead of 24. Parameters, their updates, statistics of
normalisations, losses, noise and what a rule keeps between steps are in float32. Gradients are not
multiplied by a factor before they are rounded, as in float16: bfloat16 has the 8 exponent bits of
float32, so small gradients do not become zero.

References
----------
Micikevicius et al. 2018, "Mixed Precision Training".
Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training".
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def mixed_precision(device: str) -> AbstractContextManager[object]:
    """Context in which networks compute in mixed precision.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    """
    # Without its cache, which would keep the rounded weight of a rule that changes weights between
    # two passes of one step.
    return torch.autocast(device, torch.bfloat16, cache_enabled=False)


def full_precision(like: torch.Tensor) -> AbstractContextManager[object]:
    """Context in which operations keep the precision of their operands.

    Parameters
    ----------
    like : Tensor
        A tensor on the device of the operands.
    """
    device = like.device.type
    if not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


def promoted(x: torch.Tensor) -> torch.Tensor:
    """Return the tensor in float32 if its precision is lower, else the tensor itself."""
    return x.to(promoted_dtype(x))


def promoted_dtype(x: torch.Tensor) -> torch.dtype:
    """Precision of a sum over a tensor: float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)


def operands(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Tensors in the one precision in which a product of them is computed.

    It is that of :func:`mixed_precision` inside this context; otherwise the lowest precision among
    the tensors, as in the backward pass of a signal that was rounded.

    Parameters
    ----------
    *tensors : Tensor, any shape
    """
    first = tensors[0]
    device, dtypes = first.device.type, {each.dtype for each in tensors}
    if torch.is_autocast_enabled(device) and torch.float64 not in dtypes:
        dtype = torch.get_autocast_dtype(device)
    elif len(dtypes) == 1:
        return tensors
    else:
        dtype = min(dtypes, key=lambda each: each.itemsize)
    return tuple(each.to(dtype) for each in tensors)
