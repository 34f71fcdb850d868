"""Rules whose backward weights learn to bring a better error down: sums of alignment primitives."""

from __future__ import annotations

import dataclasses
from abc import ABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from virtuallab.fields import Fraction, NonNegativeInt, PositiveFloat, setting
from virtuallab.subject.learning.error_feedback import ReturnedError, local
from virtuallab.subject.learning.layer_view import Local
from virtuallab.subject.learning.primitives import PRIMITIVES, descend
from virtuallab.subject.network.pathways import Through
from virtuallab.subject.rule import Lesson

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.synapse import Weight


@dataclass(frozen=True, kw_only=True)
class Alignment(ReturnedError, ABC):
    """The backward weights descend a weighted sum of primitives, at times of its own.

    The fields of a rule that are named as primitives are its coefficients.
    """

    feedback: ClassVar[bool] = True

    delay: NonNegativeInt = setting(
        0,
        unit="training steps",
        doc="Training steps at the beginning in which only the backward weights learn.",
    )
    alternate: NonNegativeInt = setting(
        0,
        unit="training steps",
        doc="0: both weights learn at every step. k: the backward weights learn alone at every "
        "(k + 1)-th step, the forward weights alone at the k steps between.",
    )
    equal: Literal["steps", "updates"] = setting(
        "steps",
        doc="What is equal to a rule that does not alternate. 'steps': the steps at which backward "
        "weights learn alone are steps of training, so of n steps only nk/(k + 1) change the "
        "forward weights. 'updates': they take no step of their own; the forward weights learn at "
        "every step, and at every k-th the backward ones beside them.",
        added=True,
    )
    ramp: Literal["constant", "linear", "exponential"] = setting(
        "constant", doc="How the strengths go over training."
    )
    ramp_from: PositiveFloat = setting(
        0.01, doc="Share of the strengths at the beginning of the ramp; above 1 they fall."
    )
    ramp_start: Fraction = setting(0.0, doc="Beginning of the ramp, as a share of training.")
    ramp_stop: Fraction = setting(1.0, doc="End of the ramp, as a share of training.")

    def __post_init__(self) -> None:
        if self.equal == "updates" and self.delay:
            raise ValueError(
                "'equal: updates' lets the forward weights learn at every step, and 'delay' holds "
                "them back; use one of them"
            )

    @property
    def strengths(self) -> dict[str, float | torch.Tensor]:
        """Coefficient of each primitive."""
        return {f.name: getattr(self, f.name) for f in _coefficients(self)}

    def backward_step(self, at: Local) -> Weight:
        """Descend the sum of the primitives."""
        return descend(at, self.strengths, mean=False)

    def lesson(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Lesson:
        """Learn the task, align, or both, as the schedule has it."""
        learns, aligns = self.phase(step)
        if learns and aligns:
            losses, gradients, sights, _ = self.returned(network, stimuli, labels, noting=True)
        elif learns:
            with network.wired(Through(noting=False)):
                each = network.losses(network.scores(stimuli), labels).mean(0)
            return Lesson(each.detach(), network.gradients(each))
        else:
            losses, sights = self._seen(network, stimuli, labels)
            gradients = []
        with torch.no_grad():
            forward = self.forward_steps(network, gradients, sights) if learns else None
            steps = [self.backward_step(self.attend(at, network)) for at in sights]
            if self.ramp != "constant":
                strength = torch.as_tensor(self.strength(step / network.length)).to(stimuli)
                steps = [at.weigh(strength, each) for at, each in zip(sights, steps, strict=True)]
            return Lesson(losses, forward, steps)

    @property
    def teaching_step(self) -> int:
        """The first step at which the forward weights learn."""
        return self.delay + bool(self.alternate and self.equal == "steps")

    def forward_updates(self, steps: int) -> int:
        """Steps less those at which only the backward weights learn."""
        rest = max(0, steps - self.delay)
        if self.equal == "updates" or not self.alternate:
            return rest
        return rest - -(-rest // (self.alternate + 1))

    def phase(self, step: int) -> tuple[bool, bool]:
        """Whether the task is learned at this step, and whether the backward weights align."""
        if step < self.delay:
            return False, True
        if self.alternate and self.equal == "updates":
            return True, step % self.alternate == 0
        if self.alternate:
            aligns = (step - self.delay) % (self.alternate + 1) == 0
            return not aligns, aligns
        return True, True

    def strength(self, progress: float) -> float | torch.Tensor:
        """Share of the strengths at this share of training."""
        if self.ramp == "constant":
            return 1.0
        start, stop, begin = (
            torch.as_tensor(value, dtype=torch.float64)
            for value in (self.ramp_start, self.ramp_stop, self.ramp_from)
        )
        way = ((progress - start) / (stop - start).clamp(min=1e-12)).clamp(0, 1)
        if self.ramp == "linear":
            return begin + (1 - begin) * way
        return begin ** (1 - way)

    def attend(self, at: Local, network: Network) -> Local:
        """What the primitives look at."""
        return at

    def _seen(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, list[Local]]:
        """Losses, and what each layer saw on the way up."""
        with torch.no_grad():
            through = Through(noting=True)
            with network.wired(through):
                losses = network.losses(network.scores(stimuli), labels).mean(0)
            layers = network.layers.values()
            return losses, [local(layer, through.tapes[layer], None) for layer in layers]


@dataclass(frozen=True, kw_only=True)
class ActivityAlignment(Alignment, ABC):
    """Alignment by primitives that look at the layer's activity."""

    positions: Literal["mean", "sum"] = setting(
        "mean",
        doc="How a convolution adds up its positions: 'sum' as published, or 'mean', which makes "
        "the same coefficients mean the same in layers of different resolution.",
    )
    activity: Literal["own", "noise"] = setting(
        "own",
        doc="What the layer sees while it aligns: its own input, or independent noise in its "
        "place, driven into every layer at once.",
    )
    noise_std: PositiveFloat = setting(
        1.0,
        unit="units of the input",
        doc="Standard deviation of the noise that stands in the place of a layer's input.",
    )
    centre: bool = setting(
        False, doc="Subtract each input's mean over the batch: covariances for second moments."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.centre and self.activity == "noise":
            raise ValueError("'centre: true' has nothing to do where 'activity' is 'noise'")

    def backward_step(self, at: Local) -> Weight:
        """Descend the sum of the primitives."""
        return descend(at, self.strengths, mean=self.positions == "mean")

    def attend(self, at: Local, network: Network) -> Local:
        """Look at the layer's own input or at noise; both without the bias."""
        if self.activity == "noise":
            pre = at.scale(self.noise_std, network.noise_like(at.pre))
            return replace(at, pre=pre, post=at.synapse.project(pre, at.forward), bias=None)
        if self.centre:
            pre = at.pre - at.pre.mean(1 if at.pre.dim() == 3 else 0, keepdim=True)
            return replace(at, pre=pre, post=at.synapse.project(pre, at.forward), bias=None)
        return at


def _coefficients(rule: Alignment) -> list[dataclasses.Field[float]]:
    return [field for field in dataclasses.fields(rule) if field.name in PRIMITIVES]
