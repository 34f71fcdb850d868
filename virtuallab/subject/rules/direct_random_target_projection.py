"""Direct random target projection."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from virtuallab.registry import RULES
from virtuallab.subject.learning.broadcast_error import BroadcastError
from virtuallab.subject.learning.locality import Need
from virtuallab.subject.rule import GradientAngle
from virtuallab.vocabulary import CROSS_ENTROPY


@RULES.register("direct_random_target_projection")
@dataclass(frozen=True, kw_only=True)
class DirectRandomTargetProjection(BroadcastError):
    r"""Direct random target projection: the target itself reaches every layer, not the error.

    .. math:: \delta_l = -(y^*\, B_l) \circ \varphi'(Z_l)

    with the one-hot target :math:`y^*` in place of the error, whose sign it has at the target's
    class. The hidden layers need not wait for the output. Their steps do not become smaller with
    the error: in a small perceptron without normalisation, trained by gradient descent, they come
    to oppose the gradient (135 degrees after 400 steps). For cross-entropy only: the sign of the
    error is known before the scores only where a softmax bounds them.

    References
    ----------
    Frenkel, Lefebvre and Bol 2021, "Learning Without Feedback: Fixed Random Learning Signals Allow
    for Feedforward Training of Deep Neural Networks".
    """

    needs = (Need.INPUT, Need.OUTPUT_TARGET)
    gradient_angle = GradientAngle(initial=(82.0, 96.0))
    needs_classes = True

    def loss_incompatibility(self, loss: str) -> str | None:
        """Refuse losses other than cross-entropy, whose error the target replaces."""
        if loss == CROSS_ENTROPY:
            return None
        return (
            f"rule {self.name!r} broadcasts the target in place of the error of cross_entropy; its "
            f"hidden layers would not depend on {loss}. Use 'loss: cross_entropy' or another rule."
        )

    def signal(
        self, scores: torch.Tensor, error: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Return the target with the sign of an error, ``(batch, subject, class)``."""
        target = torch.nn.functional.one_hot(labels, scores.shape[2]).to(scores.dtype)
        return -target / len(scores)
