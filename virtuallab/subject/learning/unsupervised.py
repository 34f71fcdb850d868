"""Rules whose hidden layers never learn of an error; the read-out learns by the delta rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.subject.learning.error_feedback import local
from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.network.pathways import Severed
from virtuallab.subject.rule import Lesson, Rule

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.synapse import Weight


@dataclass(frozen=True, kw_only=True)
class Unsupervised(Rule, ABC):
    """Each hidden synapse sees its two neurons; biases and normalisations stay as they are born.

    The read-out follows the delta rule: its own input times the error of the answer, which is the
    gradient of a layer with nothing below it. So the loss is felt by the read-out alone.
    """

    needs: ClassVar[tuple[Need, ...]] = (Need.INPUT, Need.RESPONSE)

    rate: PositiveFloat = setting(
        0.1, doc="Size of the hidden layers' steps, relative to the read-out's."
    )

    @abstractmethod
    def growth(self, at: Local, name: str, network: Network) -> Weight:
        """Return what is added to a hidden layer's forward weight, before the learning rate."""

    def lesson(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Lesson:
        """Run forward without a way back, and let each layer look at itself."""
        severed = Severed()
        with network.wired(severed):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        steps = network.gradients(losses)
        with torch.no_grad():
            for name, layer in network.hidden.items():
                at = local(layer, severed.tapes[layer], None)
                growth = at.weigh(self.rate, self.growth(at, name, network))
                steps[network.place(layer.weight)] = -growth
        return Lesson(losses.detach(), steps)


def mean_product(at: Local, response: torch.Tensor) -> Weight:
    """Mean over batch and positions of input times response."""
    share = 1 / (at.samples * at.positions)
    return at.synapse.correlate(at.pre, response * share, at.forward)


def mean_response(at: Local, response: torch.Tensor) -> torch.Tensor:
    """Mean over batch and positions of a response, ``(subject, post)``."""
    subjects = len(at.forward)
    return at.synapse.collect(response, subjects) / (at.samples * at.positions)
