"""Family of rules whose error returns layer by layer, through forward or backward weights."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

import torch

from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import Objective
from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.rule import Rule, Updates


@dataclass(frozen=True)
class ReturnedError:
    """Result of one forward pass and the backward pass of its error."""

    losses: torch.Tensor  # (subject,), mean over the batch
    gradients: list[torch.Tensor]  # for each of the network's `parameters`, by the returned error
    views: list[LayerView]  # of each layer; empty if signals were not recorded
    traces: dict[PopulationLayer, LayerTrace]


@dataclass(frozen=True, kw_only=True)
class ErrorFeedback(Rule, ABC):
    """Rule whose error returns through backward weights, or through forward weights if it has none.

    A rule of this family defines the steps of one layer: of its forward weight
    (:meth:`forward_step`), of its backward weight (:meth:`backward_step`), or, if the backward
    weight is a function of the forward weight, that function (:meth:`feedback_weight`).
    """

    objective = Objective.SUPERVISED

    def forward_step(self, layer: LayerView) -> torch.Tensor:
        """Step of the forward weight, as a gradient; by default the pseudogradient."""
        assert layer.pseudogradient is not None
        return layer.pseudogradient

    def backward_step(self, layer: LayerView) -> torch.Tensor | None:
        """Step of the backward weight, as a gradient; None if it is fixed."""
        return None

    def feedback_weight(self, layer: PopulationLayer, network: Network, name: str) -> torch.Tensor:
        """Backward weight for the next batch, if it is derived from the forward weight."""
        raise NotImplementedError

    @property
    def learns_feedback(self) -> bool:
        """True if the rule has a step for the backward weights."""
        return self.feedback and type(self).backward_step is not ErrorFeedback.backward_step

    @property
    def _changes_forward_step(self) -> bool:
        return type(self).forward_step is not ErrorFeedback.forward_step

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Updates of each layer from one forward pass and the returned error."""
        record = self.learns_feedback or self._changes_forward_step
        returned = self.return_error(network, stimuli, labels, record=record)
        with torch.no_grad():
            forward = self.forward_steps(network, returned)
            backward = None
            if self.learns_feedback:
                steps = [self.backward_step(view) for view in returned.views]
                backward = [each for each in steps if each is not None]
            return Updates(returned.losses, forward, backward)

    def return_error(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, *, record: bool
    ) -> ReturnedError:
        """Run a batch forward, and its error back through the feedback pathway.

        ``record`` keeps the layers' signals, which costs memory.
        """
        self.set_feedback_weights(network)
        pathway = FeedbackPathway(record)
        losses, gradients = network.loss_and_gradients(stimuli, labels, pathway)
        traces, layers = pathway.traces, network.layers.values() if record else ()
        views = [
            LayerView.from_trace(each, traces[each], gradients[network.index_of(each.weight)])
            for each in layers
        ]
        return ReturnedError(losses, gradients, views, traces)

    def set_feedback_weights(self, network: Network) -> None:
        """Set the backward weights that are functions of the forward weights."""
        if type(self).feedback_weight is not ErrorFeedback.feedback_weight:
            with torch.no_grad():
                for name, layer in network.layers.items():
                    layer.backward_weight = self.feedback_weight(layer, network, name)

    def forward_steps(self, network: Network, returned: ReturnedError) -> list[torch.Tensor]:
        """Step of each parameter: its gradient, or :meth:`forward_step` of a layer's weight."""
        steps = list(returned.gradients)
        if self._changes_forward_step:
            for layer, view in zip(network.layers.values(), returned.views, strict=True):
                steps[network.index_of(layer.weight)] = self.forward_step(view)
        return steps
