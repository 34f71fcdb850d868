"""Kolen-Pollack learning."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.error_feedback import ErrorFeedback
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.locality import ErrorReturn, Need
from virtuallab.subject.rule import GradientAngle


@RULES.register("kolen_pollack")
@dataclass(frozen=True, kw_only=True)
class KolenPollack(ErrorFeedback):
    r"""Kolen-Pollack: both weights receive the same steps and decay alike, so they become the same.

    .. math:: \Delta W \propto -X^\top \delta - 2\alpha W, \qquad
              \Delta B \propto -\delta^\top X - 2\alpha B

    so that by plain gradient descent :math:`B - W^\top` shrinks by :math:`1-2\eta\alpha` a step.
    An optimizer's weight decay :math:`\lambda` acts on both weights too, and they shrink by
    :math:`1-\eta(2\alpha+\lambda)`; with ``decay: 0`` it is their only decay, and the same as in
    other rules of the protocol. A ``feedback_optimizer`` may differ in its noise alone. In the
    released code of Kunin et al., ``W`` decays twenty times more slowly than ``B`` (``matched:
    false``: ``decay`` acts on ``B`` alone, weight decay on ``W`` alone), and the weights do not
    become the same. Local by a reciprocal circuit (Akrout et al.); Kunin et al. regard it as
    transport of updates.

    References
    ----------
    Kolen and Pollack 1994, "Backpropagation without weight transport".
    Akrout et al. 2019, "Deep Learning without Weight Transport".
    """

    feedback = True
    needs = (Need.INPUT, Need.LEARNED_ERROR, Need.RECIPROCAL)
    gradient_angle = GradientAngle(initial=(84.0, 97.0), trained=(34.0, 50.0))
    error_return = ErrorReturn.LEARNED_WEIGHTS

    decay: NonNegativeFloat = setting(
        2.5e-3, doc="Strength of forgetting; published 1e-3, for B alone."
    )
    matched: bool = setting(
        True,
        doc="Whether both weights decay alike, by 'decay' and by the optimizer's weight decay; if "
        "not, 'decay' acts on the backward weight alone and weight decay on the forward one alone.",
    )

    @property
    def shares_decay(self) -> bool:
        """True if an optimizer's weight decay acts on both weights, where they decay alike."""
        return self.matched

    @property
    def forward_decay(self) -> float | torch.Tensor:
        """Twice the strength of forgetting, a number or ``(subject,)``; 0 if only B decays."""
        return 2 * self.decay if self.matched else 0.0

    def forward_step(self, layer: LayerView) -> torch.Tensor:
        """Pseudogradient and decay."""
        assert layer.pseudogradient is not None
        if not self.matched:
            return layer.pseudogradient
        return layer.add(layer.pseudogradient, self.forward_decay, layer.weight)

    def backward_step(self, layer: LayerView) -> torch.Tensor:
        """The same pseudogradient, and decay of the backward weight."""
        assert layer.pseudogradient is not None
        return layer.add(layer.pseudogradient, 2 * self.decay, layer.backward_weight)
