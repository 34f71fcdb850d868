"""Family of rules whose backward weights learn by a weighted sum of alignment primitives."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch

from virtuallab.fields import Fraction, NonNegativeInt, PositiveFloat, setting
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import ErrorReturn
from virtuallab.subject.learning.primitives import PRIMITIVES, alignment_gradient
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import FeedbackPathway
from virtuallab.subject.network.signals import subtract_batch_mean
from virtuallab.subject.rule import Updates


@dataclass(frozen=True, kw_only=True)
class Alignment(ErrorFeedback, ABC):
    """Rule whose backward weights descend a weighted sum of primitives, on their own schedule.

    Fields of a rule with the name of a primitive are its coefficients.
    """

    feedback = True
    error_return = ErrorReturn.LEARNED_WEIGHTS

    delay: NonNegativeInt = setting(
        0,
        unit="training steps",
        doc="Training steps at the beginning at which only the backward weights learn.",
    )
    alternate: NonNegativeInt = setting(
        0,
        unit="training steps",
        doc="0: both weights learn at every step. k: the backward weights learn alone at every "
        "(k + 1)-th step, the forward weights alone at the k steps between.",
    )
    equal: Literal["steps", "updates"] = setting(
        "steps",
        doc="The quantity that equals that of a rule without alternation. 'steps': steps at which "
        "only backward weights learn count as training steps, so that nk/(k + 1) of n steps change "
        "the forward weights. 'updates': the forward weights learn at every step, the backward "
        "weights at every k-th step.",
        added=True,
    )
    ramp: Literal["constant", "linear", "exponential"] = setting(
        "constant", doc="Course of the coefficients over training."
    )
    ramp_from: PositiveFloat = setting(
        0.01, doc="Factor of the coefficients at the beginning of the ramp; above 1 they fall."
    )
    ramp_start: Fraction = setting(0.0, doc="Beginning of the ramp, as a fraction of training.")
    ramp_stop: Fraction = setting(1.0, doc="End of the ramp, as a fraction of training.")

    def __post_init__(self) -> None:
        if self.equal == "updates" and self.delay:
            raise ValueError(
                "'equal: updates' lets the forward weights learn at every step, and 'delay' holds "
                "them back; use one of them"
            )

    @property
    def coefficients(self) -> dict[str, float | torch.Tensor]:
        """Coefficient of each primitive of the rule."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in PRIMITIVES}

    def backward_step(self, layer: LayerView) -> torch.Tensor:
        """Gradient of the sum of the primitives."""
        return alignment_gradient(layer, self.coefficients, mean=False)

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Updates of the forward weights, the backward weights or both, by the schedule."""
        learns, aligns = self.schedule(step)
        if not aligns:
            pathway = FeedbackPathway(record=False)
            return Updates(*network.loss_and_gradients(stimuli, labels, pathway))
        if learns:
            returned = self.return_error(network, stimuli, labels, record=True)
            losses, views = returned.losses, returned.views
        else:
            losses, views = self._forward_pass(network, stimuli, labels)
        with torch.no_grad():
            forward = self.forward_steps(network, returned) if learns else None
            steps = [self.backward_step(self.alignment_view(view, network)) for view in views]
            if self.ramp != "constant":
                factor = torch.as_tensor(self.ramp_factor(step / network.total_steps)).to(stimuli)
                steps = [view.scale(factor, each) for view, each in zip(views, steps, strict=True)]
            return Updates(losses, forward, steps)

    @property
    def first_forward_step(self) -> int:
        """First training step at which the forward weights learn."""
        return self.delay + bool(self.alternate and self.equal == "steps")

    def forward_updates(self, steps: int) -> int:
        """Number of training steps at which the forward weights learn."""
        rest = max(0, steps - self.delay)
        if self.equal == "updates" or not self.alternate:
            return rest
        return rest - -(-rest // (self.alternate + 1))

    def schedule(self, step: int) -> tuple[bool, bool]:
        """Pair of bools: the forward weights learn at this step, the backward weights learn."""
        if step < self.delay:
            return False, True
        if self.alternate and self.equal == "updates":
            return True, step % self.alternate == 0
        if self.alternate:
            aligns = (step - self.delay) % (self.alternate + 1) == 0
            return not aligns, aligns
        return True, True

    def ramp_factor(self, progress: float) -> float | torch.Tensor:
        """Factor of the coefficients after this fraction of training, 0 to 1."""
        if self.ramp == "constant":
            return 1.0
        start, stop, initial = (
            torch.as_tensor(value, dtype=torch.float64)
            for value in (self.ramp_start, self.ramp_stop, self.ramp_from)
        )
        done = ((progress - start) / (stop - start).clamp(min=1e-12)).clamp(0, 1)
        return initial + (1 - initial) * done if self.ramp == "linear" else initial ** (1 - done)

    def alignment_view(self, layer: LayerView, network: Network) -> LayerView:
        """View of the layer on which the primitives are computed."""
        return layer

    def _forward_pass(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, list[LayerView]]:
        pathway = FeedbackPathway(record=True)
        with torch.no_grad(), network.using(pathway):
            losses = network.losses(network.scores(stimuli), labels).mean(0)
        layers = network.layers.values()
        return losses, [LayerView.from_trace(each, pathway.traces[each]) for each in layers]


@dataclass(frozen=True, kw_only=True)
class ActivityAlignment(Alignment, ABC):
    """Alignment rule with primitives that depend on the layer's activity."""

    positions: Literal["mean", "sum"] = setting(
        "mean",
        doc="Reduction over the positions of a convolution: 'sum' as published, or 'mean', with "
        "which coefficients have the same effect in layers of different resolution.",
    )
    activity: Literal["own", "noise"] = setting(
        "own",
        doc="Input of a layer for alignment: 'own', its input in the network, or 'noise', "
        "independent noise in every layer at once.",
    )
    noise_std: PositiveFloat = setting(
        1.0,
        unit="units of the input",
        doc="Standard deviation of the noise that replaces a layer's input.",
    )
    centre: bool = setting(
        False,
        doc="Whether to subtract each input's mean over the batch, which turns second moments into "
        "covariances.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.centre and self.activity == "noise":
            raise ValueError("'centre: true' has nothing to do where 'activity' is 'noise'")

    def backward_step(self, layer: LayerView) -> torch.Tensor:
        """Gradient of the sum of the primitives."""
        return alignment_gradient(layer, self.coefficients, mean=self.positions == "mean")

    def alignment_view(self, layer: LayerView, network: Network) -> LayerView:
        """View of the layer on its own input, or on noise or centred input without the bias."""
        if self.activity == "noise":
            pre = layer.scale(self.noise_std, network.noise_like(layer.pre))
        elif self.centre:
            pre = subtract_batch_mean(layer.pre)
        else:
            return layer
        return replace(layer, pre=pre, post=layer.synapse.project(pre, layer.weight), bias=None)
