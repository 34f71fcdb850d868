"""Rules whose error returns layer by layer, through the forward weights or through others."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

import torch

from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.network.layer import LayerTrace, PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.rule import Rule, Updates


@dataclass(frozen=True)
class ReturnedError:
    """Result of one pass forward and one of the error back.

    Parameters
    ----------
    losses : Tensor, (subject,)
        Mean loss over the batch.
    gradients : list of Tensor
        One for each of the network's ``parameters``, as the error returned.
    views : list of LayerView
        One for each layer; empty if nothing was recorded.
    traces : dict from PopulationLayer to LayerTrace
    """

    losses: torch.Tensor
    gradients: list[torch.Tensor]
    views: list[LayerView]
    traces: dict[PopulationLayer, LayerTrace]


@dataclass(frozen=True, kw_only=True)
class ErrorFeedback(Rule, ABC):
    """The error returns through backward weights, or through the forward ones if there are none.

    A rule of this family defines what one layer does: how its forward weight changes
    (:meth:`forward_step`), how its backward weight changes (:meth:`backward_step`), or, if the
    backward weight is a function of the forward weight, that function (:meth:`feedback_weight`).
    """

    def forward_step(self, layer: LayerView) -> torch.Tensor:
        """Gradient that the forward weight follows; by default the pseudogradient."""
        assert layer.pseudogradient is not None
        return layer.pseudogradient

    def backward_step(self, layer: LayerView) -> torch.Tensor | None:
        """Gradient that the backward weight follows; None if it is fixed."""
        return None

    def feedback_weight(self, layer: PopulationLayer, network: Network, name: str) -> torch.Tensor:
        """Backward weight for the next batch, if it is derived from the forward weight."""
        raise NotImplementedError

    @property
    def learns_feedback(self) -> bool:
        """Whether the rule has a step for the backward weights."""
        return self.feedback and type(self).backward_step is not ErrorFeedback.backward_step

    @property
    def _changes_forward_step(self) -> bool:
        return type(self).forward_step is not ErrorFeedback.forward_step

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Run forward, return the error, and compute the steps of each layer."""
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

        Parameters
        ----------
        network : Network
        stimuli : Tensor, (batch, subject*channel, height, width)
        labels : Tensor, (batch, subject)
        record : bool
            Whether to record the layers' signals, which costs memory.

        Returns
        -------
        ReturnedError
        """
        self.set_feedback_weights(network)
        pathway = FeedbackPathway(record)
        with network.using(pathway):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        gradients = network.gradients(losses)
        traces, layers = pathway.traces, network.layers.values() if record else ()
        views = [
            LayerView.from_trace(each, traces[each], gradients[network.index_of(each.weight)])
            for each in layers
        ]
        return ReturnedError(losses.detach(), gradients, views, traces)

    def set_feedback_weights(self, network: Network) -> None:
        """Set the backward weights that are derived from the forward ones."""
        if type(self).feedback_weight is not ErrorFeedback.feedback_weight:
            with torch.no_grad():
                for name, layer in network.layers.items():
                    layer.backward_weight = self.feedback_weight(layer, network, name)

    def forward_steps(self, network: Network, returned: ReturnedError) -> list[torch.Tensor]:
        """Gradient that each parameter follows: its own, or what the rule makes of a weight's."""
        followed = list(returned.gradients)
        if self._changes_forward_step:
            for layer, view in zip(network.layers.values(), returned.views, strict=True):
                followed[network.index_of(layer.weight)] = self.forward_step(view)
        return followed
