"""Loss and return of recorded units from visit to visit."""

from __future__ import annotations

from collections.abc import Callable

import jaxtyping as jt
import numpy as np


def loss_and_return(
    daily_loss: float, daily_return: float, days: jt.Float[np.ndarray, " interval"]
) -> tuple[jt.Float[np.ndarray, " interval"], jt.Float[np.ndarray, " interval"]]:
    r"""Probabilities that a unit is lost, and that a lost one is found again, over some days.

    A unit is lost with probability :math:`l` a day, and a lost one returns with probability
    :math:`r` a day. Of the units of a first visit, the share that is recorded :math:`d` days later
    is

    .. math:: s(d) = \frac{r}{l + r} + \frac{l}{l + r} (1 - l - r)^d

    Parameters
    ----------
    daily_loss, daily_return : float
        :math:`l` and :math:`r`; together at most 1.
    days : array, (interval,)
        Days between visits.

    Returns
    -------
    loss, found_again : array, (interval,)
        :math:`1 - s`, and the same of lost units.
    """
    changing = daily_loss + daily_return
    left = 1 - (1 - changing) ** np.asarray(days, dtype=np.float64)
    share = daily_loss / changing if changing else 0.0
    return share * left, (1 - share) * left


def follow(
    home: jt.Int[np.ndarray, " unit"],
    losses: jt.Float[np.ndarray, " interval"],
    returns: jt.Float[np.ndarray, " interval"],
    replace: Callable[[int, int, np.ndarray, np.random.Generator], jt.Int[np.ndarray, " _"]],
    reached: Callable[[int, np.ndarray], np.ndarray],
    generator: np.random.Generator,
) -> tuple[jt.Int[np.ndarray, "visit unit"], jt.Bool[np.ndarray, "visit unit"]]:
    """Follow the units of the first visit; others take the place of those that are lost.

    A lost unit that returns takes its channel back. The unit that replaced it is lost as often as
    any other. A channel keeps its unit where no other is left to replace it.

    Parameters
    ----------
    home : array of int, (unit,)
        Units, or neurons, of the first visit.
    losses, returns : array, (interval,)
        Probabilities that a unit is lost, and that a lost one returns, before each later visit.
    replace : callable
        Finds units at a visit: takes its number, how many are needed, the units that cannot be
        used and a generator; returns at most as many as needed.
    reached : callable
        Whether the probe reaches each of some units at a visit.
    generator : numpy.random.Generator

    Returns
    -------
    recorded : array of int, (visit, unit)
    matched : array of bool, (visit, unit)
        Whether a channel still has the unit of the visit before; false at the first.
    """
    recorded = np.empty((len(losses) + 1, len(home)), dtype=np.int64)
    recorded[0] = home
    present = np.ones(len(home), dtype=bool)
    for visit, of_visit in enumerate(generator.spawn(len(losses)), start=1):
        for_loss, for_replacement = of_visit.spawn(2)
        chance, chance_of_replacement = for_loss.random((2, len(home)))
        loss, found_again = losses[visit - 1], returns[visit - 1]
        present = np.where(present, chance >= loss, chance < found_again)
        before = recorded[visit - 1]
        at_home = present & reached(visit, home)
        stays = (before != home) & (chance_of_replacement >= loss) & reached(visit, before)
        recorded[visit] = np.where(at_home, home, before)
        lost = np.flatnonzero(~at_home & ~stays)
        busy = np.concatenate([recorded[visit], home])
        found = replace(visit, len(lost), busy, for_replacement)
        recorded[visit, lost[: len(found)]] = found
    matched = np.zeros(recorded.shape, dtype=bool)
    matched[1:] = recorded[1:] == recorded[:-1]
    return recorded, matched
