"""Family of rules whose hidden layers receive no error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import DetachedInput
from virtuallab.subject.rule import Rule, Updates


@dataclass(frozen=True, kw_only=True)
class Unsupervised(Rule, ABC):
    """Rule whose hidden weights change by the activity of two neurons, without an error.

    Hidden biases and normalisations do not learn. The read-out learns by the delta rule, the output
    error times its input; only the read-out depends on the loss.
    """

    needs = (Need.INPUT, Need.RESPONSE)
    error_return = ErrorReturn.NONE
    objective = Objective.LOCAL

    rate: PositiveFloat = setting(
        0.1, doc="Size of the hidden layers' steps, relative to the read-out's."
    )

    @abstractmethod
    def growth(self, layer: LayerView, name: str, network: Network) -> torch.Tensor:
        """Increment of a hidden layer's forward weight, before the learning rate."""

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Updates of the read-out by the delta rule and of hidden layers by :meth:`growth`."""
        pathway = DetachedInput()
        with network.using(pathway):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        steps = network.gradients(losses)
        with torch.no_grad():
            for name, layer in network.hidden.items():
                view = LayerView.from_trace(layer, pathway.traces[layer])
                growth = view.scale(self.rate, self.growth(view, name, network))
                steps[network.index_of(layer.weight)] = -growth
        return Updates(losses.detach(), steps)


def mean_product(layer: LayerView, response: torch.Tensor) -> torch.Tensor:
    """Mean over batch and positions of input times response, ``(subject, post, pre, ...)``."""
    share = 1 / (layer.samples * layer.positions)
    return layer.synapse.correlate(layer.pre, response * share, layer.weight)


def mean_response(layer: LayerView, response: torch.Tensor) -> torch.Tensor:
    """Mean over batch and positions of a response, ``(subject, post)``."""
    total = layer.synapse.sum_batch(response, len(layer.weight))
    return total / (layer.samples * layer.positions)
