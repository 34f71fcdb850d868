"""Preparation of a preserved subject for recording.

The visits of a subject are run as a population of as many networks, so that one forward pass shows
the stimuli at all visits. Only the forward weights are used: a recording cannot depend on the
weights through which the error returned.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jaxtyping as jt
import numpy as np
import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture, Site
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.parameter_layout import floating_tensors, parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Task


@dataclass(frozen=True)
class _LayerGraph:
    """Input and response of one layer, with the graph between them."""

    source: Tensor
    response: Tensor


@dataclass(frozen=True)
class PreparedSubject:
    """Everything of one subject that can be recorded.

    Parameters
    ----------
    layers : tuple of str
        From input to output.
    responses : mapping from layer to array, (visit, stimulus, unit)
        Single precision unless the preparation was made in double.
    weights : mapping from layer to array, (visit, synapse)
        Forward kernels, flattened as ``(post, pre, height, width)``.
    inputs : mapping from layer to int
        Number of inputs of each layer.
    labels : array, (stimulus,)
        Class of each stimulus.
    maps : mapping from layer to (channels, height, width)
        Shape of each layer's response to one stimulus; of a dense one, as many channels of 1 x 1.
    """

    layers: tuple[str, ...]
    responses: Mapping[str, jt.Float[np.ndarray, "visit stimulus unit"]]
    weights: Mapping[str, jt.Float[np.ndarray, "visit synapse"]]
    inputs: Mapping[str, int]
    labels: jt.Int[np.ndarray, " stimulus"]
    maps: Mapping[str, tuple[int, int, int]]
    _graphs: Mapping[str, _LayerGraph]

    def jacobian(
        self, layer: str, units: jt.Int[np.ndarray, " chosen"]
    ) -> jt.Float[np.ndarray, "visit stimulus input"]:
        r"""Sum over the given units of their sensitivity to each input of the layer.

        .. math:: J_i = \sum_{j \in \text{units}} \partial y_j / \partial x_i

        with the layer's true Jacobian: through ``W``, never ``B``.

        Parameters
        ----------
        layer : str
        units : array of int
            Indices of units of the layer.

        Returns
        -------
        array, (visit, stimulus, input)
        """
        graph = self._graphs[layer]
        response = graph.response
        visits, _, count = self.responses[layer].shape
        chosen = torch.zeros(count, dtype=response.dtype)
        chosen[torch.from_numpy(np.asarray(units))] = 1
        # Images and visits do not interact, so one backward pass serves all of them.
        of_one_image = torch.empty_like(response[:1]).copy_(
            chosen.expand(visits, -1).reshape(1, *response.shape[1:])
        )
        whole = torch.empty_like(response).copy_(of_one_image.expand_as(response))
        (found,) = torch.autograd.grad(response, graph.source, whole, retain_graph=True)
        return _by_visit(found, visits)


def prepare(
    architecture: Architecture,
    task: Task,
    states: jt.Float[np.ndarray, "visit parameter"],
    stimuli: jt.Int[np.ndarray, " chosen"] | None = None,
) -> PreparedSubject:
    """Restore a preserved subject at all visits and show it the probe stimuli.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    states : array, (visit, parameter)
        State of the subject at each visit; NaN after it diverged, which gives NaN responses. The
        responses have the precision of the states.
    stimuli : array of int, optional
        Indices of the task's probe stimuli to show; all if not given.

    Returns
    -------
    PreparedSubject

    Raises
    ------
    UserError
        If a layer cannot be recorded where its site says.
    """
    visits = len(states)
    sites = architecture.sites(template_network(architecture, task))
    layout = parameter_layout(architecture, task)
    tensors = layout.tensors(torch.from_numpy(np.ascontiguousarray(states)))
    shown = task.stimuli()
    chosen = slice(None) if stimuli is None else torch.from_numpy(np.asarray(stimuli))
    images = shown.stimuli[chosen].to(next(iter(tensors.values())).dtype)
    graphs = _show(_empty_population(architecture, task, visits), tensors, sites, images, visits)
    return PreparedSubject(
        layers=tuple(sites),
        responses={n: _by_visit(g.response.detach(), visits) for n, g in graphs.items()},
        weights={layer: states[:, layout.weights(layer)].copy() for layer in sites},
        inputs={n: g.source[0].numel() // visits for n, g in graphs.items()},
        labels=shown.labels[chosen].numpy(),
        maps={n: _map(g.response, visits) for n, g in graphs.items()},
        _graphs=graphs,
    )


def _map(response: Tensor, visits: int) -> tuple[int, int, int]:
    height, width = response.shape[2:] if response.ndim == 4 else (1, 1)
    return response[0].numel() // (visits * height * width), height, width


class _EmptyPopulations(threading.local):
    """Populations without numbers, one for each architecture, task and number of visits.

    Making a population takes as long as showing it the stimuli, so a thread keeps those it made.
    Threads do not share them, since a network carries hooks while it is shown something.
    """

    def __init__(self) -> None:
        self.made: dict[tuple[Architecture, Task, int], nn.Module] = {}


_EMPTY = _EmptyPopulations()


def _empty_population(architecture: Architecture, task: Task, visits: int) -> nn.Module:
    """Population of this thread, one network for each visit, without numbers."""
    key = (architecture, task, visits)
    if key not in _EMPTY.made:
        network = populate([template_network(architecture, task)] * visits).eval()
        for module in network.modules():
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]  # it may overwrite a response
        for _, tensor in floating_tensors(network):
            tensor.data = tensor.data.new_empty(0)
        _EMPTY.made[key] = network
    return _EMPTY.made[key]


def _show(
    population: nn.Module,
    tensors: Mapping[str, Tensor],
    sites: Mapping[str, Site],
    images: Tensor,
    visits: int,
) -> dict[str, _LayerGraph]:
    """Run the network, cutting the graph at each layer's input."""
    sources: dict[str, Tensor] = {}
    responses: dict[str, tuple[Tensor, int]] = {}

    def cut(path: str, _: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor]:
        _once(path, sources)
        sources[path] = arguments[0].detach().requires_grad_()
        return (sources[path],)

    def keep(path: str, _: nn.Module, __: tuple[Tensor], output: Tensor) -> None:
        _once(path, responses)
        responses[path] = output, output._version

    modules = dict(population.named_modules())
    synapses = {site.synapse for site in sites.values()}
    outputs = {site.response for site in sites.values()}
    handles = [
        *(modules[path].register_forward_pre_hook(partial(cut, path)) for path in synapses),
        *(modules[path].register_forward_hook(partial(keep, path)) for path in outputs),
    ]
    # Channels last: grouped convolutions and pooling are twice as quick on a CPU, both ways.
    stacked = images.repeat(1, visits, 1, 1).to(memory_format=torch.channels_last)
    try:
        with torch.enable_grad():
            torch.func.functional_call(population, dict(tensors), (stacked,))
    finally:
        for handle in handles:
            handle.remove()
    for path, (output, version) in responses.items():
        if output._version != version:
            raise UserError(f"{path!r} cannot be recorded: the network overwrites its output.")
    return {
        name: _LayerGraph(sources[site.synapse], responses[site.response][0])
        for name, site in sites.items()
    }


def _once(path: str, seen: Mapping[str, Any]) -> None:
    if path in seen:
        raise UserError(f"{path!r} cannot be recorded: the network uses it more than once.")


def _by_visit(signal: Tensor, visits: int) -> jt.Float[np.ndarray, "visit stimulus unit"]:
    """From ``(stimulus, visit*unit...)`` to ``(visit, stimulus, unit)``, as a copy."""
    apart = signal.view(len(signal), visits, -1, *signal.shape[2:]).transpose(0, 1)
    found: np.ndarray = apart.clone(memory_format=torch.contiguous_format).flatten(2).numpy()
    return found
