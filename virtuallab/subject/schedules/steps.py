"""Learning rate that rises linearly and is then lowered in steps, as published."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from virtuallab.fields import Fraction, ProperFraction, setting
from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule


@SCHEDULES.register("steps")
@dataclass(frozen=True, kw_only=True)
class Steps(LearningRateSchedule):
    r"""Linear rise of the learning rate from 0, then a division by ten at each of three points.

    .. math:: f(p) = \min(p / w, 1)\, q^{\,|\{d : d \le p\}|}

    where p is the share of training that is over, w the end of the rise, d the points and q the
    factor at each of them. With a rise, the first training step has a learning rate of 0.

    The defaults are those of the released code of Kunin et al. (2020): a rise during 5 of 100
    epochs, then divisions by ten after 30, 60 and 80 epochs.

    Raises
    ------
    ValueError
        If the drops do not ascend.

    References
    ----------
    Kunin et al. 2020, "Two Routes to Scalable Credit Assignment without Weight Symmetry", released
    code, ``learning_rate.py``.
    Goyal et al. 2017, "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", for the rise.
    """

    warmup: ProperFraction = setting(
        0.05, doc="Share of training, at its start, during which the rate rises from 0; 0 for none."
    )
    drops: tuple[ProperFraction, ...] = setting(
        (0.3, 0.6, 0.8),
        doc="Shares of training after which the rate is multiplied by drop_factor; ascending.",
    )
    drop_factor: Fraction = setting(0.1, doc="Factor of the rate at each of the drops.")

    def __post_init__(self) -> None:
        """Check the order of the drops."""
        for before, after in itertools.pairwise(self.drops):
            if before >= after:
                raise ValueError(f"drops have to ascend; found {after:g} after {before:g}")

    def factor(self, progress: float) -> float:
        """Return the factor at this point of the rise and after these drops."""
        risen = progress / self.warmup if progress < self.warmup else 1.0
        return risen * self.drop_factor ** sum(drop <= progress for drop in self.drops)
