"""Populations: S networks of one architecture, run as one network with S groups.

Activations are ``(batch, subject*channel, height, width)`` or ``(batch, subject*feature)``, so that
operations on single channels (ReLU, pooling, flattening, residual sums) need no change; sequences
of tokens are ``(batch, token, subject*feature)``. Only layers that mix channels are replaced:
convolutions become grouped, dense layers become batched matrix products, normalisations use the
statistics of each subject, and dropout draws from each subject's stream. With one subject the
population *is* the ordinary network, and modules that cannot be grouped keep their forward pass.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from virtuallab.errors import UserError
from virtuallab.seeds import integer
from virtuallab.subject.architecture import containers, synaptic_kinds
from virtuallab.subject.network.layers.dropout import PopulationDropout
from virtuallab.subject.network.layers.normalisation import (
    PopulationBatchNorm,
    PopulationGroupNorm,
    PopulationInstanceNorm,
    PopulationLayerNorm,
    PopulationLocalResponseNorm,
)
from virtuallab.subject.network.layers.single import keep_forward, own_buffers
from virtuallab.subject.network.layers.synaptic import (
    PopulationConv1d,
    PopulationConv2d,
    PopulationConvTranspose2d,
    PopulationLinear,
)
from virtuallab.subject.network.layers.tokens import (
    DotProductAttention,
    PopulationEmbedding,
    population_attention,
)

_LAYERS: Mapping[type[nn.Module], Any] = {
    nn.Conv1d: PopulationConv1d,
    nn.Conv2d: PopulationConv2d,
    nn.ConvTranspose2d: PopulationConvTranspose2d,
    nn.Linear: PopulationLinear,
    nn.Embedding: PopulationEmbedding,
    DotProductAttention: population_attention,
    nn.BatchNorm1d: PopulationBatchNorm,
    nn.BatchNorm2d: PopulationBatchNorm,
    nn.InstanceNorm1d: PopulationInstanceNorm,
    nn.InstanceNorm2d: PopulationInstanceNorm,
    nn.GroupNorm: PopulationGroupNorm,
    nn.LayerNorm: PopulationLayerNorm,
    nn.LocalResponseNorm: PopulationLocalResponseNorm,
}

# Operations on single channels, which need no change.
CHANNELWISE = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Sigmoid, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.Tanh, nn.Softplus, nn.Softsign,
    nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool1d,
    nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Identity,
    nn.ZeroPad2d, nn.Upsample,
)  # fmt: skip


def populate(modules: Sequence[nn.Module], seeds: Sequence[int] = ()) -> nn.Module:
    """One module with S groups, made from S ordinary modules of one architecture.

    Parameters
    ----------
    modules : sequence of nn.Module
        Initialised network of each subject; not changed.
    seeds : sequence of int
        Seed of each subject's dropout; by default the number of the subject.

    Returns
    -------
    nn.Module
        Same structure and names; parameters and running averages have a leading subject axis.

    Raises
    ------
    UserError
        If a layer of several subjects may mix channels and is not one of the known layers.
    """
    first = modules[0]
    names = [name for name, _ in first.named_parameters(remove_duplicate=False)]
    if twice := [n for n in names if n not in dict(first.named_parameters())]:
        raise UserError(f"{twice[0]!r} is the same tensor as another; a population has no copies.")
    streams = list(seeds) or list(range(len(modules)))
    # Copied, since a shared module would share its hooks with other populations.
    return _populate(copy.deepcopy(first), modules, streams, "")


def _populate(
    shell: nn.Module, modules: Sequence[nn.Module], seeds: Sequence[int], path: str
) -> nn.Module:
    """Replace the layers of ``shell``, a copy of the first module, by layers of a population."""
    first = modules[0]
    if isinstance(first, synaptic_kinds()) and type(first) not in _LAYERS:
        raise UserError(
            f"layer {path!r} is a {type(first).__name__}, which changes a layer of torch. Rules "
            f"know {', '.join(kind.__name__ for kind in synaptic_kinds())} alone."
        )
    if type(first) in _LAYERS:
        layer: nn.Module = _LAYERS[type(first)](modules)
        return layer.train(first.training)
    if type(first) is nn.Dropout:
        return PopulationDropout(first.p, [integer(seed, path) for seed in seeds])
    if len(modules) > 1:
        if isinstance(first, nn.Flatten | nn.Unflatten):
            return _reshaping(first, len(modules), path)
        _check(first, path)
    elif _keeps_forward(first):
        keep_forward(shell, whole=True)
        return shell
    for name, child in shell.named_children():
        children = [getattr(module, name) for module in modules]
        setattr(shell, name, _populate(child, children, seeds, f"{path}.{name}".lstrip(".")))
    if _own_tensors(first):
        keep_forward(shell, whole=False)
    return shell


def _reshaping(layer: nn.Flatten | nn.Unflatten, subjects: int, path: str) -> nn.Module:
    """Layer that flattens or divides the units of all subjects, in their order."""
    if isinstance(layer, nn.Flatten):
        if (layer.start_dim, layer.end_dim) == (1, -1):
            return nn.Flatten()
    elif layer.dim == 1 and isinstance(layer.unflattened_size, tuple):
        channels, *size = layer.unflattened_size
        if channels > 0:
            return nn.Unflatten(1, (subjects * channels, *size))
    raise UserError(f"layer {path!r}: a population can only flatten everything but the batch.")


def _check(module: nn.Module, path: str) -> None:
    """Refuse a module that several subjects cannot share."""
    if _is_unknown(module):
        raise UserError(
            f"layer {path!r} is a {type(module).__name__}, which is not known to treat each "
            "channel alone."
        )
    if buffers := own_buffers(module):
        name = f"{path}.{next(iter(buffers))}".lstrip(".")
        raise UserError(
            f"{name!r} is kept outside the layers of a population. If it is a constant, register "
            "it with persistent=False."
        )
    if _own_tensors(module):
        place = f"layer {path!r}" if path else "the network"
        raise UserError(f"{place} keeps parameters of its own, outside the known layers.")


def _is_unknown(module: nn.Module) -> bool:
    """True for a module of torch that is not known to treat each channel alone."""
    from_torch = type(module).__module__.startswith("torch.nn")
    return from_torch and not isinstance(module, (*CHANNELWISE, *containers()))


def _keeps_forward(module: nn.Module) -> bool:
    """True if a module with parameters is to be run as it is, with all modules inside it."""
    return _is_unknown(module) and any(True for _ in module.parameters())


def _own_tensors(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or bool(own_buffers(module))
