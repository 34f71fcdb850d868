"""Modules of one subject that keep their own forward pass, in a population of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def keep_forward(module: nn.Module, *, whole: bool) -> None:
    """Give a module's own tensors a subject axis of length 1, which its forward pass does not see.

    The parameters and floating-point buffers are those of the module alone, or also those of all
    modules inside it (``whole``), whose forward passes are then unchanged too. The module is
    changed in place.
    """
    members = list(module.modules()) if whole else [module]
    for member in members:
        for name, parameter in member._parameters.items():
            if parameter is not None:
                stacked = nn.Parameter(parameter.detach().unsqueeze(0), parameter.requires_grad)
                member._parameters[name] = stacked
        for name, buffer in own_buffers(member).items():
            member._buffers[name] = buffer.unsqueeze(0)
        _refresh(member)
    kind = type(module)

    class Single(kind):  # type: ignore[misc, valid-type]
        """The module, with a forward pass that sees its tensors without the subject axis."""

        def forward(self, *arguments: Any, **options: Any) -> Any:
            """Result of the module's own forward pass."""
            with _without_subject_axis(list(self.modules()) if whole else [self]):
                return super().forward(*arguments, **options)

    Single.__name__, Single.__qualname__, Single.__module__ = (
        kind.__name__, kind.__qualname__, kind.__module__,
    )  # fmt: skip
    module.__class__ = Single


@contextmanager
def _without_subject_axis(members: list[nn.Module]) -> Iterator[None]:
    """Replace tensors by views without the first axis inside the block."""
    replaced: list[tuple[dict[str, Any], str, torch.Tensor]] = []
    for member in members:
        parameters = {n: p for n, p in member._parameters.items() if p is not None}
        replaced += [(member._parameters, *each) for each in parameters.items()]
        replaced += [(member._buffers, *each) for each in own_buffers(member).items()]
    try:
        for tensors, name, tensor in replaced:
            tensors[name] = tensor[0]
        for member in members:
            _refresh(member)
        yield
    finally:
        for tensors, name, tensor in replaced:
            tensors[name] = tensor
        for member in members:
            _refresh(member)


def own_buffers(module: nn.Module) -> dict[str, torch.Tensor]:
    """Floating-point buffers of a module alone that are part of its state."""
    return {
        name: buffer
        for name, buffer in module._buffers.items()
        if buffer is not None
        and buffer.is_floating_point()
        and name not in module._non_persistent_buffers_set
    }


def _refresh(module: nn.Module) -> None:
    """Renew the list in which a recurrent layer keeps its parameters a second time."""
    if isinstance(module, nn.RNNBase):
        module._flat_weights = [getattr(module, name) for name in module._flat_weights_names]
