"""Rules whose error comes back layer by layer: through the forward weights or through others."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.network.pathways import Through
from virtuallab.subject.rule import Lesson, Rule

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.pathways import Tape
    from virtuallab.subject.network.population import PopulationLayer
    from virtuallab.subject.network.synapse import Weight


@dataclass(frozen=True, kw_only=True)
class ReturnedError(Rule, ABC):
    """An error returns through backward weights, or the forward ones where there are no others.

    A rule of this family says what one layer does: how its forward weight changes
    (:meth:`forward_step`), how its backward weight does (:meth:`backward_step`), or, where that is
    no change but a function of the forward weight, what it is (:meth:`mirror`).
    """

    def forward_step(self, at: Local) -> Weight:
        """Return the forward weight's step; the pseudogradient unless a rule says otherwise."""
        assert at.pseudogradient is not None
        return at.pseudogradient

    def backward_step(self, at: Local) -> Weight | None:
        """Return the step of the backward weight; None where it is fixed."""
        return None

    def mirror(self, layer: PopulationLayer, network: Network, name: str) -> Weight:
        """Return the backward weight for the next batch, where it is derived from the forward."""
        raise NotImplementedError

    @property
    def learns_feedback(self) -> bool:
        """Whether the rule has a step for the backward weights."""
        return self.feedback and type(self).backward_step is not ReturnedError.backward_step

    def lesson(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Lesson:
        """Run forward, return the error, and ask each layer for its steps."""
        losses, gradients, sights, _ = self.returned(network, stimuli, labels, noting=self._watches)
        with torch.no_grad():
            forward = self.forward_steps(network, gradients, sights)
            return Lesson(losses, forward, self.backward_steps(sights))

    def returned(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, *, noting: bool
    ) -> tuple[torch.Tensor, list[torch.Tensor], list[Local], dict[PopulationLayer, Tape]]:
        """Losses ``(subject,)``, gradients as they come back, what each layer knows, and its tape.

        Of the layers nothing is kept unless ``noting``.
        """
        self.prepare(network)
        through = Through(noting)
        with network.wired(through):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        gradients = network.gradients(losses)
        sights = [
            local(layer, through.tapes[layer], gradients[network.place(layer.weight)])
            for layer in (network.layers.values() if noting else ())
        ]
        return losses.detach(), gradients, sights, through.tapes

    def prepare(self, network: Network) -> None:
        """Set the backward weights that are derived from the forward ones."""
        with torch.no_grad():
            if type(self).mirror is not ReturnedError.mirror:
                for name, layer in network.layers.items():
                    layer.backward_weight = self.mirror(layer, network, name)

    @property
    def _watches(self) -> bool:
        return self.learns_feedback or type(self).forward_step is not ReturnedError.forward_step

    def forward_steps(
        self, network: Network, gradients: list[torch.Tensor], sights: list[Local]
    ) -> list[torch.Tensor]:
        """What each parameter follows: its gradient, or what the rule makes of a weight's."""
        if type(self).forward_step is ReturnedError.forward_step:
            return gradients
        followed = list(gradients)
        for layer, at in zip(network.layers.values(), sights, strict=True):
            followed[network.place(layer.weight)] = self.forward_step(at)
        return followed

    def backward_steps(self, sights: list[Local]) -> list[torch.Tensor] | None:
        """What each backward weight follows."""
        if not self.learns_feedback:
            return None
        return [step for at in sights if (step := self.backward_step(at)) is not None]


def local(layer: PopulationLayer, tape: Tape, pseudogradient: torch.Tensor | None) -> Local:
    """Gather what one layer may know."""
    weight = layer.weight.detach()
    assert tape.post is not None
    return Local(
        synapse=tape.synapse,
        pre=tape.pre.detach(),
        post=tape.post.detach(),
        error=tape.error,
        forward=weight,
        backward=weight if layer.backward_weight is None else layer.backward_weight,
        bias=None if layer.bias is None else layer.bias.detach(),
        pseudogradient=pseudogradient,
    )
