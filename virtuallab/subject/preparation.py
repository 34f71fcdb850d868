"""Preparation of a preserved subject for recording.

The visits of a subject are run as a population with one network for each visit, so that a single
forward pass shows the stimuli at all visits; visits of networks that cannot be one population are
run one by one. Only the forward weights are used: a recording cannot
depend on the backward weights.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import jaxtyping as jt
import numpy as np
import torch
from torch import Tensor, nn

from virtuallab.errors import UserError
from virtuallab.subject.architecture import Architecture, Site
from virtuallab.subject.network.build import sites_of
from virtuallab.subject.network.grouping import population_problem, subject_axes
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.parameter_layout import floating_tensors, parameter_layout
from virtuallab.subject.network.population import populate
from virtuallab.subject.task import Task

# Building a population takes as long as showing it the stimuli, so each thread keeps those it has
# built. Threads do not share them, since a network has hooks while stimuli are shown.
_THREAD = threading.local()


@dataclass(frozen=True)
class _LayerGraph:
    """Input and response of one layer, with torch's graph between them."""

    input: Tensor
    response: Tensor


@dataclass(frozen=True)
class _Visits:
    """Visits that were run as one population, and the axes in which a layer has their units."""

    count: int
    graph: _LayerGraph
    input_axis: int
    response_axis: int

    @property
    def response(self) -> Tensor:
        """Response with the visits in the second axis, ``(stimulus, visit*channel, ...)``."""
        return self.graph.response.movedim(self.response_axis, 1)

    @property
    def responses(self) -> jt.Float[np.ndarray, "visit stimulus unit"]:
        """Responses of all units, as a copy."""
        return _by_visit(self.response.detach(), self.count)

    @property
    def inputs(self) -> int:
        """Number of inputs of the layer."""
        return self.graph.input[0].numel() // self.count

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the response to one stimulus."""
        channels, *size = self.response.shape[1:]
        height, width = [1] * (2 - len(size)) + size
        return channels // self.count, height, width

    def jacobian(self, selected: Tensor) -> jt.Float[np.ndarray, "visit stimulus input"]:
        """Derivative of a weighted sum of one stimulus's units by the layer's input."""
        graph, response = self.graph, self.response
        # Stimuli and visits do not interact, so one backward pass serves all of them.
        one_stimulus = selected.expand(self.count, -1).reshape(1, *response.shape[1:])
        vector = torch.empty_like(graph.response)
        vector.movedim(self.response_axis, 1).copy_(one_stimulus.expand_as(response))
        (product,) = torch.autograd.grad(graph.response, graph.input, vector, retain_graph=True)
        return _by_visit(product.movedim(self.input_axis, 1), self.count)


@dataclass(frozen=True)
class PreparedSubject:
    """All quantities of one subject that can be recorded.

    Parameters
    ----------
    layers : tuple of str
        From input to output.
    responses : mapping from layer to array, (visit, stimulus, unit)
        In the precision of the states.
    weights : mapping from layer to array, (visit, synapse)
        Forward kernels, flattened as ``(post, pre, height, width)``.
    inputs : mapping from layer to int
        Number of inputs of each layer.
    labels : array, (stimulus,)
        Class of each stimulus.
    maps : mapping from layer to (channels, height, width)
        Shape of each layer's response to one stimulus; (units, 1, 1) for a dense layer. The height
        of a response to a sequence is 1.
    """

    layers: tuple[str, ...]
    responses: Mapping[str, jt.Float[np.ndarray, "visit stimulus unit"]]
    weights: Mapping[str, jt.Float[np.ndarray, "visit synapse"]]
    inputs: Mapping[str, int]
    labels: jt.Int[np.ndarray, " stimulus"]
    maps: Mapping[str, tuple[int, int, int]]
    _visits: Mapping[str, Sequence[_Visits]]

    def jacobian(
        self, layer: str, units: jt.Int[np.ndarray, " selected"]
    ) -> jt.Float[np.ndarray, "visit stimulus input"]:
        r"""Jacobian of a layer, summed over the given units.

        .. math:: J_i = \sum_{j \in \text{units}} \partial y_j / \partial x_i

        with respect to the layer's input, through the forward weight ``W`` and never ``B``.
        """
        parts = self._visits[layer]
        selected = torch.zeros(self.responses[layer].shape[2], dtype=parts[0].response.dtype)
        selected[torch.from_numpy(np.asarray(units))] = 1
        return _joined([part.jacobian(selected) for part in parts])


def prepare(
    architecture: Architecture,
    task: Task,
    states: jt.Float[np.ndarray, "visit parameter"],
    stimuli: jt.Int[np.ndarray, " selected"] | None = None,
) -> PreparedSubject:
    """Restore a preserved subject at all visits and show it the probe stimuli.

    Parameters
    ----------
    architecture : Architecture
    task : Task
    states : array, (visit, parameter)
        NaN where the subject has diverged, which gives NaN responses.
    stimuli : array of int, optional
        Indices of the task's probe stimuli to show; all if not given.

    Returns
    -------
    PreparedSubject

    Raises
    ------
    UserError
        If a layer cannot be recorded at its site.
    """
    sites = sites_of(architecture, task, template_network(architecture, task))
    layout = parameter_layout(architecture, task)
    probe_images = task.stimuli()
    shown = slice(None) if stimuli is None else torch.from_numpy(np.asarray(stimuli))
    images = probe_images.stimuli[shown]
    alone = len(states) > 1 and population_problem(architecture, task) is not None
    groups = [states[visit : visit + 1] for visit in range(len(states))] if alone else [states]
    parts = [_run_visits(architecture, task, sites, group, images) for group in groups]
    visits = {layer: [part[layer] for part in parts] for layer in sites}
    return PreparedSubject(
        layers=tuple(sites),
        responses={n: _joined([v.responses for v in each]) for n, each in visits.items()},
        weights={layer: states[:, layout.weights(layer)].copy() for layer in sites},
        inputs={n: each[0].inputs for n, each in visits.items()},
        labels=probe_images.labels[shown].numpy(),
        maps={n: each[0].map_shape for n, each in visits.items()},
        _visits=visits,
    )


def _run_visits(
    architecture: Architecture,
    task: Task,
    sites: Mapping[str, Site],
    states: jt.Float[np.ndarray, "visit parameter"],
    images: Tensor,
) -> dict[str, _Visits]:
    """Show images to the networks of some visits, which are one population."""
    visits = len(states)
    layout = parameter_layout(architecture, task)
    tensors = layout.tensors(torch.from_numpy(np.ascontiguousarray(states)))
    axes = subject_axes(architecture, task)
    shown = images.to(next(iter(tensors.values())).dtype).repeat(1, visits, 1, 1)
    population = _empty_population(architecture, task, visits)
    graphs = _layer_graphs(population, tensors, sites, shown)
    return {
        name: _Visits(visits, graphs[name], axes[site.synapse].input, axes[site.response].output)
        for name, site in sites.items()
    }


def _empty_population(architecture: Architecture, task: Task, visits: int) -> nn.Module:
    """Population of one network for each visit, with empty parameter tensors."""
    populations: dict[Any, nn.Module] = vars(_THREAD).setdefault("populations", {})
    key = (architecture, task, visits)
    if key not in populations:
        network = populate([template_network(architecture, task)] * visits).eval()
        for module in network.modules():
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]  # it may overwrite a response
        for _, tensor in floating_tensors(network):
            tensor.data = tensor.data.new_empty(0)
        populations[key] = network
    return populations[key]


def _layer_graphs(
    population: nn.Module, tensors: Mapping[str, Tensor], sites: Mapping[str, Site], images: Tensor
) -> dict[str, _LayerGraph]:
    """Run the network, with the graph cut at the input of each layer."""
    inputs: dict[str, Tensor] = {}
    responses: dict[str, tuple[Tensor, int]] = {}

    def cut(path: str, _: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor]:
        _check_first_use(path, inputs)
        inputs[path] = arguments[0].detach().requires_grad_()
        return (inputs[path],)

    def keep(path: str, _: nn.Module, __: tuple[Tensor], output: Tensor) -> None:
        _check_first_use(path, responses)
        responses[path] = output, output._version

    modules = dict(population.named_modules())
    with ExitStack() as hooks, torch.enable_grad():
        for path in {site.synapse for site in sites.values()}:
            hooks.enter_context(modules[path].register_forward_pre_hook(partial(cut, path)))
        for path in {site.response for site in sites.values()}:
            hooks.enter_context(modules[path].register_forward_hook(partial(keep, path)))
        # Channels last: grouped convolutions and pooling are twice as fast on a CPU, both ways.
        stacked = images.to(memory_format=torch.channels_last)
        torch.func.functional_call(population, dict(tensors), (stacked,))
    for path, (output, version) in responses.items():
        if output._version != version:
            raise UserError(f"{path!r} cannot be recorded: the network overwrites its output.")
    return {
        name: _LayerGraph(inputs[site.synapse], responses[site.response][0])
        for name, site in sites.items()
    }


def _check_first_use(path: str, used: Mapping[str, Any]) -> None:
    if path in used:
        raise UserError(f"{path!r} cannot be recorded: the network uses it more than once.")


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _by_visit(signal: Tensor, visits: int) -> jt.Float[np.ndarray, "visit stimulus unit"]:
    """Copy of ``(stimulus, visit*unit...)`` as ``(visit, stimulus, unit)``."""
    split = signal.view(len(signal), visits, -1, *signal.shape[2:]).transpose(0, 1)
    copy: np.ndarray = split.clone(memory_format=torch.contiguous_format).flatten(2).numpy()
    return copy
