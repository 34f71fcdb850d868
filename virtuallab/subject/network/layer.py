"""A layer of a population, as rules and pathways see it, and what it records in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from virtuallab.subject.network.synapse import Synapse


@dataclass
class LayerTrace:
    """Signals of one layer in one training step, in the layout of its synapse.

    Parameters
    ----------
    synapse : Synapse
        The layer's linear maps.
    pre : Tensor
        Input of the layer.
    post : Tensor or None
        Linear response, with the bias.
    error : Tensor or None
        Error that arrived at the response.
    down : Tensor or None
        Error sent on to the input; None where there is no layer below.
    """

    synapse: Synapse
    pre: torch.Tensor
    post: torch.Tensor | None = None
    error: torch.Tensor | None = None
    down: torch.Tensor | None = None


class PopulationLayer:
    """A layer with one forward weight, and optionally one backward weight, for each subject.

    Its subclasses are torch modules. This class does not need torch to be defined, so rules can be
    listed without importing torch.

    Attributes
    ----------
    weight : Parameter, (subject, post, pre, ...)
    bias : Parameter or None, (subject, post)
    backward_weight : Tensor or None
        Weight through which a rule may return the error, in the layout of ``weight``.
    pathway : Pathway or None
        What a rule has put in place of the plain linear map, while it learns.
    """

    weight: torch.nn.Parameter
    bias: torch.nn.Parameter | None

    def __init__(self, layers: Sequence[torch.nn.Conv2d] | Sequence[torch.nn.Linear]) -> None:
        super().__init__()
        self.weight = stacked(layers, "weight")
        self.bias = stacked(layers, "bias") if layers[0].bias is not None else None
        self.backward_weight: torch.Tensor | None = None
        self.pathway: Pathway | None = None

    def carry(self, x: torch.Tensor, synapse: Synapse) -> torch.Tensor:
        """Map the input to the linear response, by the pathway if a rule has set one."""
        return self.respond(x, synapse) if self.pathway is None else self.pathway(x, self, synapse)

    def respond(
        self,
        x: torch.Tensor,
        synapse: Synapse,
        backward: torch.Tensor | None = None,
        trace: LayerTrace | None = None,
        send: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Linear response whose error returns through the weight ``backward``.

        See :func:`virtuallab.subject.network.linear_response.linear_response`.
        """
        from virtuallab.subject.network.linear_response import linear_response

        return linear_response(x, self.weight, self.bias, backward, synapse, trace, send)


@runtime_checkable
class Pathway(Protocol):
    """Carries the input of one layer forward."""

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Return the layer's linear response to ``x``, both in the layout of the synapse."""


def stacked(modules: Sequence[torch.nn.Module], name: str) -> torch.nn.Parameter:
    """Stack a parameter of several modules along a new first axis."""
    return torch.nn.Parameter(torch.stack([getattr(m, name).detach() for m in modules]))


def layers_of(population: torch.nn.Module) -> Iterator[tuple[str, PopulationLayer]]:
    """Name and layer of every weight that a rule acts on, in the order of the module."""
    for name, module in population.named_modules():
        if isinstance(module, PopulationLayer):
            yield name, module
