"""Information alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from virtuallab.fields import NonNegativeFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.local import Local
from virtuallab.subject.primitives import decay
from virtuallab.subject.rule import Credit, Rule
from virtuallab.subject.synapse import Weight


@RULES.register("information_alignment")
@dataclass(frozen=True, kw_only=True)
class InformationAlignment(Rule):
    r"""Information alignment: the backward weight learns to decode the layer's own output.

    .. math:: \Delta B \propto \alpha\, W^\top C - 2\beta\, W^\top C W B - 2\gamma B,
              \qquad C = \tfrac1N X^\top X

    Local: it needs the layer's input, its linear response, and that response sent back through
    ``B``. At rest ``B`` is the ridge-regression decoder of the input from the response. Not to be
    confused with weight mirror, which lacks the null term and is unbounded.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry",
    sections 3 and 4.
    """

    credit: ClassVar[Credit] = Credit.FEEDBACK
    local: ClassVar[bool] = True
    watches: ClassVar[bool] = True

    amp: NonNegativeFloat = setting(
        2e-3, doc="Strength of growth along the forward weight. Dimensionless."
    )
    null: NonNegativeFloat = setting(
        1e-3, doc="Strength of the bound on the reconstruction; half the paper's coefficient."
    )
    decay: NonNegativeFloat = setting(
        1e-3, doc="Strength of forgetting; half the paper's coefficient."
    )
    positions: Literal["sum", "mean"] = setting(
        "sum",
        doc="How a convolution adds up its positions: 'sum' as published, or 'mean', which makes "
        "the same coefficients mean the same in layers of different resolution.",
    )

    def backward_step(self, at: Local) -> Weight:
        """Descend the sum of the three objectives."""
        # The primitives amp and null both correlate with the layer's response, and correlating is
        # linear in the other signal: added up before it, they cost one correlation instead of two.
        share = 1 / at.samples / (at.positions if self.positions == "mean" else 1)
        down = at.synapse.reconstruct(at.projection, at.weigh(2 * share * self.null, at.backward))
        surprise = down - at.scale(share * self.amp, at.pre)
        learned = at.synapse.correlate(surprise, at.projection, at.backward)
        return learned + at.weigh(self.decay, decay(at))
