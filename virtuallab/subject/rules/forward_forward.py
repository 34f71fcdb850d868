"""Forward-forward."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import DetachedInput
from virtuallab.subject.network.signals import scale
from virtuallab.subject.rule import Rule, Updates


@RULES.register("forward_forward")
@dataclass(frozen=True, kw_only=True)
class ForwardForward(Rule):
    r"""Forward-forward: each layer separates images with right and with wrong labels.

    A label is a fixed random pattern that is added to the image. Each hidden layer normalises its
    input, and raises its goodness for the right pattern and lowers it for a wrong one, by the loss

    .. math:: \log\left(1 + e^{\mp (g - \theta)}\right), \qquad
              g = \langle y^2 \rangle, \quad y = [W \hat x + b]_+, \quad
              \hat x = x / \sqrt{\langle x^2 \rangle}

    with the mean over units and positions in place of the published sum, so that the threshold is
    comparable between layers. No error crosses a layer. The read-out learns by the delta rule from
    the image without a label, as the network is evaluated; only the read-out depends on the
    subject's loss. The publication writes the label into ten pixels; here it is a pattern over the
    whole image, which every position of a convolution receives.

    References
    ----------
    Hinton 2022, "The Forward-Forward Algorithm: Some Preliminary Investigations".
    """

    needs = (Need.INPUT, Need.RESPONSE, Need.WRONG_PASS)
    error_return = ErrorReturn.NONE
    objective = Objective.LOCAL
    needs_classes = True

    threshold: PositiveFloat = setting(
        1.0, unit="mean squared response", doc="Goodness that separates right from wrong labels."
    )
    label_strength: PositiveFloat = setting(
        1.0,
        unit="standard deviations of the images",
        doc="Standard deviation of a label's pattern; the images have 1.",
    )

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps of the read-out from plain images, of hidden layers from right and wrong labels."""
        plain = DetachedInput()
        with network.using(plain):
            scores = network.scores(stimuli)
        losses = network.losses(scores, labels).mean(0)
        objective = losses
        wrong = self._wrong(network, labels, scores.shape[2])
        with network.frozen_running_averages():
            for shown, sign in ((labels, -1.0), (wrong, 1.0)):
                labelled = stimuli + self._pattern(network, stimuli, shown, scores.shape[2])
                pathway = DetachedInput(normalised=True)
                with network.using(pathway):
                    network.scores(labelled)
                for layer in network.hidden.values():
                    response = pathway.traces[layer].post
                    assert response is not None
                    goodness = network.by_sample(torch.relu(response).square()).mean(2)
                    distance = sign * (goodness - self.threshold)
                    objective = objective + torch.nn.functional.softplus(distance).mean(0)
        return Updates(losses.detach(), network.gradients(objective))

    def _wrong(self, network: Network, labels: torch.Tensor, classes: int) -> torch.Tensor:
        """Another label for each sample, any with the same chance, ``(batch, subject)``."""
        chance = network.streams.normal((len(labels), classes - 1), network.parameters[0])
        other = chance.argmax(2).T + 1
        return (labels + other) % classes

    def _pattern(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, classes: int
    ) -> torch.Tensor:
        """The patterns of these labels, in the layout of the stimuli."""
        share = (stimuli.shape[1] // network.subjects, *stimuli.shape[2:])
        patterns = network.streams.fixed_normal("label patterns", (classes, *share), stimuli)
        subject = torch.arange(network.subjects, device=stimuli.device)
        return scale(self.label_strength, patterns)[subject, labels].flatten(1, 2)
