"""A preparation: one preserved subject, ready for electrodes.

The visits of a subject are run as a population of as many networks, so that showing the stimuli at
all visits is one forward pass. Only the forward weights are used: what an electrode sees cannot
depend on the weights through which the error returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from virtuallab.subject.architecture import Architecture
from virtuallab.subject.birth import skeleton
from virtuallab.subject.population import populate
from virtuallab.subject.state import layout_of
from virtuallab.subject.task import Task


@dataclass(frozen=True)
class _Passage:
    """One layer's way from its input to its response, with the graph that ties them."""

    source: Tensor
    response: Tensor


@dataclass(frozen=True)
class Preparation:
    """What electrodes could touch of one subject.

    Parameters
    ----------
    layers : tuple of str
        From input to output.
    responses : mapping from layer to array, (visit, stimulus, unit)
        Single precision unless the preparation was made in double.
    weights : mapping from layer to array, (visit, synapse)
        Forward kernels, flattened as ``(post, pre, height, width)``.
    inputs : mapping from layer to int
        Units that drive each layer.
    labels : array, (stimulus,)
        Class of each stimulus.
    """

    layers: tuple[str, ...]
    responses: Mapping[str, Float[np.ndarray, "visit stimulus unit"]]
    weights: Mapping[str, Float[np.ndarray, "visit synapse"]]
    inputs: Mapping[str, int]
    labels: Int[np.ndarray, " stimulus"]
    _passages: Mapping[str, _Passage]

    def jacobian(
        self, layer: str, units: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, "visit stimulus input"]:
        r"""Sum over the given units of their sensitivity to each input of the layer.

        .. math:: J_i = \sum_{j \in \text{units}} \partial y_j / \partial x_i

        with the layer's true Jacobian: through ``W``, never ``B``.
        """
        passage = self._passages[layer]
        visits, stimuli, count = self.responses[layer].shape
        cotangent = torch.zeros(count, dtype=passage.response.dtype)
        cotangent[torch.from_numpy(np.asarray(units))] = 1
        # Images and visits do not interact, so one backward pass serves all of them.
        whole = cotangent.expand(stimuli, visits, count).reshape(passage.response.shape)
        (found,) = torch.autograd.grad(
            passage.response, passage.source, whole, retain_graph=True
        )
        return _by_visit(found, visits).numpy()


def prepare(
    architecture: Architecture,
    task: Task,
    states: Float[np.ndarray, "visit parameter"],
    stimuli: Int[np.ndarray, " chosen"] | None = None,
) -> Preparation:
    """Bring a preserved subject back and show it the probe stimuli.

    Parameters
    ----------
    architecture, task
        What the subject was built from.
    states : array, (visit, parameter)
        Its state at each visit; NaN after it diverged, which gives NaN responses.
    stimuli : array of int, optional
        Which of the task's probe stimuli to show; all if not given.
    """
    visits = len(states)
    layout = layout_of(architecture, task)
    bones = skeleton(architecture, task)
    sites = architecture.sites(bones)
    network = populate([bones] * visits).eval()
    state = torch.from_numpy(np.ascontiguousarray(states))
    network = network.to(state.dtype)
    layout.load(network, state)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    shown = task.stimuli()
    chosen = slice(None) if stimuli is None else torch.from_numpy(np.asarray(stimuli))
    images = shown.stimuli[chosen].to(state.dtype)
    sources, responses = _listen(network, {s.synapse for s in sites.values()},
                                 {s.response for s in sites.values()},
                                 images.repeat(1, visits, 1, 1))
    passages = {
        name: _Passage(sources[site.synapse], responses[site.response])
        for name, site in sites.items()
    }
    modules = dict(network.named_modules())
    return Preparation(
        layers=tuple(sites),
        responses={
            name: _by_visit(passage.response.detach(), visits).numpy()
            for name, passage in passages.items()
        },
        weights={
            name: modules[site.synapse].weight.flatten(1).numpy() for name, site in sites.items()
        },
        inputs={
            name: passage.source[0].numel() // visits for name, passage in passages.items()
        },
        labels=shown.labels[chosen].numpy(),
        _passages=passages,
    )


def _listen(
    network: nn.Module, synapses: set[str], outputs: set[str], images: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Run the network, cutting the graph at each layer's input; return inputs and responses."""
    sources: dict[str, Tensor] = {}
    responses: dict[str, Tensor] = {}

    def cut(name: str):  # type: ignore[no-untyped-def]
        def hook(_: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor]:
            sources[name] = arguments[0].detach().requires_grad_()
            return (sources[name],)

        return hook

    def keep(name: str):  # type: ignore[no-untyped-def]
        def hook(_: nn.Module, __: tuple[Tensor], output: Tensor) -> None:
            responses[name] = output

        return hook

    handles = [
        *(m.register_forward_pre_hook(cut(n)) for n, m in network.named_modules() if n in synapses),
        *(m.register_forward_hook(keep(n)) for n, m in network.named_modules() if n in outputs),
    ]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return sources, responses


def _by_visit(signal: Tensor, visits: int) -> Tensor:
    """From ``(stimulus, visit*unit...)`` to ``(visit, stimulus, unit)``."""
    return signal.reshape(len(signal), visits, -1).transpose(0, 1).contiguous()
