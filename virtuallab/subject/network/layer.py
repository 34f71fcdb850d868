"""Layers of a population that have weights, and the signals of a layer in one training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from virtuallab.subject.network.synapse import Synapse


@dataclass
class LayerTrace:
    """Signals of one layer in one training step, in the layout of its synapse."""

    synapse: Synapse
    pre: torch.Tensor  # input of the layer
    post: torch.Tensor | None = None  # linear response, with the bias
    error: torch.Tensor | None = None  # at the response
    down: torch.Tensor | None = None  # error at the input; None if there is no layer below


class PopulationLayer:
    """Layer with a forward weight, and optionally a backward weight, for each subject.

    Subclasses are torch modules. This class does not use torch in its definition, so that rules can
    be listed without importing torch.

    Attributes
    ----------
    weight : Parameter, (subject, post, pre, ...)
    bias : Parameter or None, (subject, post)
    backward_weight : Tensor or None
        Weight through which the error may return, in the layout of ``weight``.
    pathway : Pathway or None
        Replaces the plain linear map while a rule computes its updates.
    """

    weight: torch.nn.Parameter
    bias: torch.nn.Parameter | None

    def __init__(self, layers: Sequence[torch.nn.Module]) -> None:
        super().__init__()
        self.weight = stacked(layers, "weight")
        self.bias = stacked(layers, "bias") if layers[0].bias is not None else None
        self.backward_weight: torch.Tensor | None = None
        self.pathway: Pathway | None = None

    def carry(self, x: torch.Tensor, synapse: Synapse) -> torch.Tensor:
        """Linear response to the input, by the pathway if there is one."""
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
    """Function that computes the linear response of a layer."""

    def __call__(self, x: torch.Tensor, layer: PopulationLayer, synapse: Synapse) -> torch.Tensor:
        """Linear response to ``x``, both in the layout of the synapse."""


def stacked(modules: Sequence[torch.nn.Module], name: str) -> torch.nn.Parameter:
    """Stack a parameter of several modules along a new first axis."""
    return torch.nn.Parameter(torch.stack([getattr(m, name).detach() for m in modules]))


def layers_of(population: torch.nn.Module) -> Iterator[tuple[str, PopulationLayer]]:
    """Yield the name and the layer of every weight that rules change, in the module's order."""
    for name, module in population.named_modules():
        if isinstance(module, PopulationLayer):
            yield name, module
