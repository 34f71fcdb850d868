"""Search for the cheapest recording design that identifies the rule with a target accuracy.

Optuna proposes designs that are cheap for their accuracy or accurate for their cost. One function
of all settings smooths their accuracies, so that no design is chosen because of a chance result.
The chosen design is evaluated again, with electrodes, noise and folds that had no part in the
choice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from virtuallab import seeds
from virtuallab.decoder.diagnostics.psychometric import PsychometricFit
from virtuallab.decoder.power_result import (
    AccuracyCurve,
    DesignResult,
    PowerResult,
    Requirement,
    Values,
)
from virtuallab.decoder.uncertainty.comparison import accuracy_interval, balanced
from virtuallab.protocol import Power
from virtuallab.protocol.sections.power import SETTINGS
from virtuallab.protocol.settings.distributions import LogUniform, rounded

# Designs, and which implantations of each -> share of these in which each subject was identified.
Evaluate = Callable[[Sequence[Values], Sequence[int]], np.ndarray]
Cost = Callable[[Values], float]

_LEVELS = 400  # of one open setting, among which the least is sought
_CANDIDATES = 6_000
_SHOWN = 60  # levels of a curve
_CONFIRMED = 3  # designs chosen and tried anew, at most


class DesignSearch:
    """A search under way.

    Parameters
    ----------
    how : Power
    cost : callable
    labels : array of str, (subject,)
    seed : int
        The protocol's seed.
    pairs : array, (subject,), optional
        In a paired design.
    """

    def __init__(
        self,
        how: Power,
        cost: Cost,
        labels: np.ndarray,
        seed: int,
        pairs: np.ndarray | None = None,
    ) -> None:
        self._how, self._cost = how, cost
        self._labels, self._seed, self._pairs = labels, seed, pairs
        self._space: dict[str, Any] = dict(how.design.settings.space)
        self._values: list[Values] = []
        self._right: list[np.ndarray] = []

    def seek(self, evaluate: Evaluate) -> PowerResult:
        """Fit accuracy to the designs explored, choose one, and try what was chosen anew.

        Parameters
        ----------
        evaluate : callable
            Tries designs, with implantations that had no part in the choice.
        """
        confirmed, chosen = None, None
        fresh = range(self._how.seeds, 2 * self._how.seeds)
        for _ in range(_CONFIRMED):
            growth = self._fit()
            chosen = self._cheapest(growth)
            if chosen is None:
                break
            [right] = evaluate([chosen], fresh)
            confirmed = self._tried(chosen, right)
            if confirmed.high >= self._how.target:
                break
            # The function was too hopeful here; it learns from what it got wrong.
            self._values.append(chosen)
            self._right.append(right)
        growth = self._fit()
        if chosen is not None and confirmed is not None and confirmed.high < self._how.target:
            chosen, confirmed = None, None
        dearest = self._extreme(1)
        drawn = growth.drawn(self._settings([dearest]))[:, 0]
        expected = float(growth.accuracy(self._settings([dearest]))[0])
        low, high = np.quantile(drawn, self._tails)
        return PowerResult(
            target=self._how.target,
            confidence=self._how.confidence,
            tried=tuple(map(self._tried, self._values, self._right)),
            chosen=chosen,
            confirmed=confirmed,
            possible=expected >= self._how.target,
            dearest=self._tried(dearest, self._right[self._values.index(dearest)]),
            expected_dearest=(float(low), expected, float(high)),
            chance=growth.chance,
            least=tuple(self._least(growth, path, chosen or dearest) for path in self._space),
            along=tuple(self._along(growth, path, chosen or dearest) for path in self._space),
        )

    @property
    def _tails(self) -> tuple[float, float]:
        return (1 - self._how.confidence) / 2, (1 + self._how.confidence) / 2

    def explore(self, evaluate: Evaluate) -> None:
        """Try as many designs as were asked for; what is proposed depends on what is known.

        Parameters
        ----------
        evaluate : callable
            Tries designs; it is called with ``trials * seeds`` implantations in all.
        """
        import optuna
        from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        space: dict[str, BaseDistribution] = {
            path: (IntDistribution if isinstance(at.low, int) else FloatDistribution)(
                at.low, at.high, log=isinstance(at, LogUniform)
            )
            for path, at in self._space.items()
        }
        study = optuna.create_study(directions=["minimize", "maximize"])
        # Both ends, so that what is chosen lies between designs that were tried.
        for end in (1, -1):
            study.enqueue_trial(self._extreme(end))
        while len(self._values) < self._how.trials:
            number = len(self._values)
            own = seeds.integer(self._seed, seeds.SEARCH, "designs", f"after {number}")
            study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=max(4, self._how.generation), constant_liar=True, seed=own % 2**32
            )
            count = min(self._how.generation, self._how.trials - number)
            asked = [study.ask(space) for _ in range(count)]
            proposed = [self._rounded(trial.params) for trial in asked]
            rights = evaluate(proposed, range(self._how.seeds))
            for trial, values, right in zip(asked, proposed, rights, strict=True):
                accuracy = float(balanced(right, self._labels))
                study.tell(trial, [self._cost(values), accuracy])
                self._values.append(values)
                self._right.append(right)

    def _rounded(self, params: Mapping[str, Any]) -> Values:
        return {
            path: rounded(value, self._space[path].low, self._space[path].high)
            if isinstance(value, float)
            else value
            for path, value in params.items()
        }

    def _extreme(self, end: int) -> Values:
        """Return the design with the most of everything (1), or the least (-1)."""
        return {
            path: at.high if SETTINGS[path][1] == end else at.low
            for path, at in self._space.items()
        }

    def _settings(self, designs: Sequence[Values]) -> np.ndarray:
        """Settings in units in which more tells more: logarithms, where they can be."""
        rows = [
            [
                SETTINGS[path][1] * (np.log(each[path]) if at.low > 0 else each[path])
                for path, at in self._space.items()
            ]
            for each in designs
        ]
        return np.array(rows, dtype=np.float64)

    def _fit(self) -> PsychometricFit:
        own = seeds.integer(self._seed, seeds.SEARCH, "growth")
        settings, right = self._settings(self._values), np.stack(self._right)
        return PsychometricFit.fit(
            settings, right, self._labels, own, repeats=self._how.seeds, pairs=self._pairs
        )

    def _levels(self, path: str, count: int) -> list[Any]:
        """Values that a setting may have, ascending; all of them, where they are few."""
        at = self._space[path]
        if isinstance(at.low, int) and isinstance(at.high, int):
            if at.high - at.low < count:
                return list(range(at.low, at.high + 1))
            spread = np.geomspace if at.low > 0 else np.linspace
            return sorted({round(float(each)) for each in spread(at.low, at.high, count)})
        spread = np.geomspace if isinstance(at, LogUniform) else np.linspace
        return [rounded(float(f"{v:.4g}"), at.low, at.high) for v in spread(at.low, at.high, count)]

    def _cheapest(self, growth: PsychometricFit) -> Values | None:
        """Return the cheapest design whose fitted accuracy reaches the target in enough samples."""
        count = max(2, int(min(_LEVELS, _CANDIDATES ** (1 / len(self._space)))))
        columns = [self._levels(path, count) for path in self._space]
        designs = [dict(zip(self._space, row, strict=True)) for row in itertools.product(*columns)]
        settings = self._settings(designs)
        reaches = (growth.drawn(settings) >= self._how.target).mean(0) >= self._how.confidence
        enough = np.flatnonzero(reaches)
        if not len(enough):
            return None
        # Of equal cost (a setting that costs nothing), the one that needs the least.
        order = [(self._cost(designs[place]), settings[place].sum()) for place in enough]
        return designs[int(enough[min(range(len(order)), key=order.__getitem__)])]

    def _least(self, growth: PsychometricFit, path: str, at: Values) -> Requirement:
        """Find how much of one setting is needed, beside the others of a design."""
        levels = self._levels(path, _LEVELS)
        if SETTINGS[path][1] < 0:
            levels.reverse()
        settings = self._settings([{**at, path: level} for level in levels])
        order = np.array([float(level) for level in levels])

        def first(reached: np.ndarray) -> np.ndarray:
            none = np.inf if SETTINGS[path][1] > 0 else -np.inf
            return np.where(reached.any(-1), order[reached.argmax(-1)], none)

        value = first(growth.accuracy(settings)[None] >= self._how.target)[0]
        draws = first(growth.drawn(settings) >= self._how.target)
        # An order statistic, for a quantile between a number and infinity is neither.
        low, high = sorted(map(float, np.quantile(draws, self._tails, method="nearest")))
        return Requirement(path, SETTINGS[path][1] > 0, float(value), low, high)

    def _along(self, growth: PsychometricFit, path: str, at: Values) -> AccuracyCurve:
        """Return the fitted accuracy along one setting, the others being those of a design."""
        levels = self._levels(path, _SHOWN)
        settings = self._settings([{**at, path: level} for level in levels])
        low, high = np.quantile(growth.drawn(settings), self._tails, axis=0)
        x = np.array([float(level) for level in levels])
        return AccuracyCurve(path, x, growth.accuracy(settings), low, high)

    def _tried(self, values: Values, right: np.ndarray) -> DesignResult:
        low, high = accuracy_interval(
            right,
            self._labels,
            self._how.confidence,
            repeats=self._how.seeds,
            pairs=self._pairs,
        )
        return DesignResult(
            values, self._cost(values), float(balanced(right, self._labels)), low, high
        )
