"""Kolen-Pollack learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.credit.returned import ReturnedError
from virtuallab.subject.local import Local

if TYPE_CHECKING:
    from virtuallab.subject.synapse import Weight


@RULES.register("kolen_pollack")
@dataclass(frozen=True, kw_only=True)
class KolenPollack(ReturnedError):
    r"""Kolen-Pollack: both weights receive the same steps and decay alike, so they become the same.

    .. math:: \Delta W \propto -X^\top \delta - 2\alpha W, \qquad
              \Delta B \propto -\delta^\top X - 2\alpha B

    so that by plain gradient descent :math:`B - W^\top` shrinks by :math:`1-2\eta\alpha` a step.
    The released code of Kunin et al. let ``W`` decay twenty times more slowly than ``B``
    (``matched: false``), and then they do not meet. Local by a reciprocal circuit (Akrout et al.);
    Kunin et al. count it as transporting updates.

    References
    ----------
    Kolen and Pollack 1994, "Backpropagation without weight transport".
    Akrout et al. 2019, "Deep Learning without Weight Transport".
    """

    feedback: ClassVar[bool] = True
    local: ClassVar[bool] = True
    needs: ClassVar[str] = "the forward weight's updates"

    decay: NonNegativeFloat = setting(
        2.5e-3, doc="Strength of forgetting; published 1e-3, for B alone."
    )
    matched: bool = setting(
        True, doc="Whether the forward weight decays alike; if not, only the backward one does."
    )

    def forward_step(self, at: Local) -> Weight:
        """Follow the pseudogradient, and forget."""
        assert at.pseudogradient is not None
        if not self.matched:
            return at.pseudogradient
        return at.add(at.pseudogradient, 2 * self.decay, at.forward)

    def backward_step(self, at: Local) -> Weight:
        """Follow the same pseudogradient, and forget as fast."""
        assert at.pseudogradient is not None
        return at.add(at.pseudogradient, 2 * self.decay, at.backward)
