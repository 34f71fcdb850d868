"""Estimation of metaparameters: learning rates, strengths of alignment, ... within each rule.

A number that differs between the subjects of a rule is estimated by ridge regression on the
decoder's samples, for subjects held out of the regression. A number that a recording does not
determine has an explained variance of 0 or less.
"""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
import xarray as xr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline

from virtuallab.decoder.features.preprocessing import standardization
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import stratified
from virtuallab.decoder.uncertainty.blocks import blocks
from virtuallab.vocabulary import LEARNING_RATE_FACTOR

_STRENGTHS = np.logspace(1, 6, 11)
_DRAWS = 2_000
_NOT_OF_A_RULE = frozenset(
    {"replicate", LEARNING_RATE_FACTOR, "batch_size", "steps", "status", "diverged_at"}
)


@dataclass(frozen=True)
class Estimability:
    """Accuracy of estimates of a metaparameter.

    Parameters
    ----------
    explained, low, high : float
        Explained share of the variance among subjects, and its interval; for positive numbers, of
        the variance of their logarithm.
    factor : float
        Median ratio of the estimate and the true value, or its inverse, whichever is above 1; NaN
        for numbers that are not all positive.
    """

    explained: float
    low: float
    high: float
    factor: float


def names_of(subjects: xr.Dataset) -> list[str]:
    """Names of the numeric settings of subjects."""
    return [
        str(name)
        for name, column in subjects.data_vars.items()
        if column.dtype.kind == "f" and name not in _NOT_OF_A_RULE
    ]


def estimability(
    values: jt.Float[np.ndarray, "subject column"],
    wanted: jt.Float[np.ndarray, " subject"],
    *,
    folds: int,
    confidence: float,
    seed: int,
    pairs: np.ndarray | None = None,
) -> Estimability:
    """Accuracy of the estimates of a number of each subject, by a regression on the others.

    The numbers must be finite, with at least twice as many different values as folds. The interval
    is from a bootstrap over subjects. In a paired design, folds keep pairs together, and the
    bootstrap draws pairs.
    """
    positive = bool((wanted > 0).all())
    target = np.log(wanted) if positive else wanted
    model = Pipeline([*standardization(), ("estimate", RidgeCV(alphas=_STRENGTHS))])
    # Stratified by rank, with at least one subject of a stratum in each fold.
    strata = min(folds, len(target) // folds)
    ranked = np.argsort(np.argsort(target)) * strata // len(target)
    splits = list(
        stratified(folds, seed, paired=pairs is not None).split(values, ranked, groups=pairs)
    )
    found = cross_val_predict(model, values, target, cv=splits)
    error, spread = (found - target) ** 2, (target - target.mean()) ** 2
    explained = float(1 - error.sum() / spread.sum())
    stream = np.random.default_rng(seed)
    if pairs is not None:
        _, place = np.unique(pairs, return_inverse=True)
        error, spread = (np.bincount(place, each) for each in (error, spread))
    draws = np.empty(_DRAWS)
    for some in blocks(_DRAWS, len(error)):
        drawn = stream.integers(0, len(error), (some.stop - some.start, len(error)))
        draws[some] = 1 - error[drawn].sum(1) / spread[drawn].sum(1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    factor = float(np.exp(np.median(np.abs(found - target)))) if positive else np.nan
    return Estimability(explained, float(low), float(high), factor)


def metaparameters(
    samples: Samples,
    subjects: xr.Dataset,
    classes: list[str],
    *,
    folds: int,
    confidence: float,
    seed: int,
) -> xr.Dataset:
    """Estimability of every number that differs among the subjects of a rule, for each rule.

    There is one sample a subject, in the order of the settings.

    Returns
    -------
    xr.Dataset
        ``explained`` and ``typical_factor`` (true_rule, metaparameter) and ``explained_interval``
        (..., bound); NaN if a number does not differ, or subjects are too few. Empty if no number
        differs in any rule.
    """
    found: dict[tuple[int, str], Estimability] = {}
    for row, rule in enumerate(classes):
        mine = samples.labels == rule
        pairs = None if samples.pairs is None else samples.pairs[mine]
        least = 2 * folds
        if pairs is not None and len(np.unique(pairs)) < least:
            continue
        for name in names_of(subjects):
            wanted = subjects[name].values[mine].astype(np.float64)
            if np.isfinite(wanted).all() and len(np.unique(wanted)) >= least:
                found[row, name] = estimability(
                    samples.values[mine],
                    wanted,
                    folds=folds,
                    confidence=confidence,
                    seed=seed,
                    pairs=pairs,
                )
    names = list(dict.fromkeys(name for _, name in found))
    if not names:
        return xr.Dataset()
    numbers = np.full((4, len(classes), len(names)), np.nan)
    for (row, name), each in found.items():
        place = row, names.index(name)
        numbers[(slice(None), *place)] = each.explained, each.low, each.high, each.factor
    dims = ("true_rule", "metaparameter")
    return xr.Dataset(
        {
            "explained": (dims, numbers[0]),
            "explained_interval": ((*dims, "bound"), np.moveaxis(numbers[1:3], 0, -1)),
            "typical_factor": (dims, numbers[3]),
        },
        coords={"metaparameter": np.array(names, dtype=object)},
    )
