"""Check that the subjects of a population do not influence each other.

A population is one network, whose activations have the channels of all subjects side by side. A
module that combines channels itself (``torch.cat``, ``chunk``, a transposition) would mix subjects
without an error. Two networks are therefore shown random images, together and each alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Task

_SEEDS = (0, 1)  # one for each subject
_IMAGES = 2
_TOLERANCE = 1e-3  # of the largest response; rounding differs by less


@cache
def check_independence(architecture: Architecture, task: Task) -> None:
    """Refuse an architecture whose networks influence each other in a population.

    Parameters
    ----------
    architecture : Architecture
    task : Task

    Raises
    ------
    UserError
        With the first layer that draws from torch's global random stream, or that has another
        response in a population than alone.
    """
    networks = [initialized_network(architecture, task, seed).eval() for seed in _SEEDS]
    shape = (len(_SEEDS), _IMAGES, *task.stimulus_shape)
    stimuli = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    together = torch.cat(list(stimuli), 1)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        pairs = zip(networks, stimuli, strict=True)
        alone = [_responses(network, own) for network, own in pairs]
        population = populate(networks, _SEEDS)
        _check_responses(architecture.name, population.eval(), together, alone)
        _check_draws(architecture.name, population.train(), together)


def _responses(network: nn.Module, stimuli: Tensor) -> dict[str, list[Tensor]]:
    """Outputs of each innermost module, by its name, one for each use; and of the network."""
    found: dict[str, list[Tensor]] = {}

    def keep(name: str, _: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor):
            found.setdefault(name, []).append(output.clone())

    with ExitStack() as hooks:
        for name, module in network.named_modules():
            if not name or not any(True for _ in module.children()):
                hooks.enter_context(module.register_forward_hook(partial(keep, name)))
        network(stimuli)
    return found


def _check_responses(
    name: str, population: nn.Module, stimuli: Tensor, alone: Sequence[Mapping[str, list[Tensor]]]
) -> None:
    """Refuse a population in which a module has other outputs than in its networks alone."""
    uses = dict.fromkeys(alone[0], 0)
    last = ""

    def begin(layer: str, _: nn.Module, __: object) -> None:
        nonlocal last
        last = layer

    def compare(layer: str, _: nn.Module, __: object, output: object) -> None:
        use = uses[layer]
        uses[layer] += 1
        expected = torch.cat([responses[layer][use] for responses in alone], 1)
        if not (isinstance(output, Tensor) and _are_close(output, expected)):
            raise UserError(_mixing(name, layer))

    with ExitStack() as hooks:
        for layer in uses:
            module = population.get_submodule(layer)
            hooks.enter_context(module.register_forward_pre_hook(partial(begin, layer)))
            hooks.enter_context(module.register_forward_hook(partial(compare, layer)))
        try:
            population(stimuli)
        except UserError:
            raise
        except Exception:
            # The network alone can be shown images, so a shape is wrong in the population only.
            raise UserError(_mixing(name, last)) from None


def _are_close(found: Tensor, expected: Tensor) -> bool:
    size = float(expected.abs().max())
    return found.shape == expected.shape and bool(
        torch.allclose(found, expected, rtol=0, atol=_TOLERANCE * size, equal_nan=True)
    )


def _mixing(name: str, layer: str) -> str:
    where = f"the output of layer {layer!r}" if layer else "its output"
    return (
        f"{name} cannot be a population: {where} is not that of a network alone, so "
        "channels are combined before it (by torch.cat, chunk or a transposition). In a "
        "population, channels of all subjects lie side by side."
    )


def _check_draws(name: str, population: nn.Module, stimuli: Tensor) -> None:
    """Refuse a module that draws from the global stream, which all subjects would share."""
    before = torch.get_rng_state()

    def look(layer: str, module: nn.Module, _: object, __: object) -> None:
        if not torch.equal(torch.get_rng_state(), before):
            raise UserError(
                f"{name} cannot be a population: layer {layer!r}, a {type(module).__name__}, draws "
                "from torch's global random stream, which all subjects would share. Use "
                "nn.Dropout, or settings with which nothing is drawn."
            )

    with ExitStack() as hooks:
        for layer, module in population.named_modules():
            hooks.enter_context(module.register_forward_hook(partial(look, layer)))
        population(stimuli)
