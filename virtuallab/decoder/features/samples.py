"""Samples for classifiers, made from features: one row a subject (strict) or a layer (published).

Columns are ordered by statistic and, within a statistic, by visit, as published; classifiers of
time series reshape them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.labels import label_text
from virtuallab.vocabulary import ALL, PAIR, THEORY, THEORY_READS

# A text, because `validate --syntax` reads the names of classifiers without importing numpy.
Rows: TypeAlias = "jt.Int[np.ndarray, ' row']"

GROUPS: Final = 3  # early, middle, deep
STAGES: Final = 7

# The statistics that were finite in every published network and given to the classifiers.
PUBLISHED: Final = (
    *(f"weightabs_{s}" for s in ("mean", "median", "norm", "thirdquartile", "var")),
    *(f"weightraw_{s}" for s in ("mean", "median", "norm", "thirdquartile", "var")),
    *(f"weightsq_{s}" for s in ("mean", "median", "thirdquartile")),
    *(f"actabs_{s}" for s in ("mean", "median", "norm", "thirdquartile")),
    *(f"actraw_{s}" for s in ("mean", "median", "norm", "thirdquartile")),
    *(f"gradavg{f}_id" for f in ("abs", "raw", "sq")),
)


@dataclass(frozen=True)
class Samples:
    """Values and labels that a classifier is fitted to.

    Parameters
    ----------
    values : array, (sample, column)
        ``context`` columns, then for each statistic its values at all visits. Not finite where
        something was not measured.
    labels : array of str, (sample,)
        Rule of each sample.
    owners : array of int, (sample,)
        Subject of each sample.
    visits : int
    context : int
        Number of leading columns that do not change over visits.
    pairs : array, (sample,), optional
        Number or name of the pair of the subject of each sample, in a paired design.
    """

    values: jt.Float[np.ndarray, "sample column"]
    labels: np.ndarray
    owners: jt.Int[np.ndarray, " sample"]
    visits: int
    context: int = 0
    pairs: np.ndarray | None = None

    def take(self, rows: Rows) -> Samples:
        """Some of the samples, by their indices."""
        return replace(
            self,
            values=self.values[rows],
            labels=self.labels[rows],
            owners=self.owners[rows],
            pairs=None if self.pairs is None else self.pairs[rows],
        )

    def apart_from(self, others: Samples) -> Samples:
        """Samples whose pairs do not occur among others; all samples if there are no pairs."""
        if self.pairs is None or others.pairs is None:
            return self
        return self.take(np.flatnonzero(~np.isin(self.pairs, others.pairs)))


def by_subject(features: xr.Dataset, observable: str, *, staged: bool = True) -> Samples:
    """One sample a subject: scale-free changes of its early, middle and deep layers.

    Layers in the same third of the depth are averaged, and differences between neighbouring thirds
    are added, since the relative speed of layers depends on how the error reaches them. Visit 0, at
    which nothing has changed, is left out.

    Parameters
    ----------
    features : xr.Dataset
        Of one probe: ``change`` (subject, visit, layer, change_name), with ``rule`` and
        ``depth_group`` as coordinates.
    observable : {"activity", "weights", "activity_change", "all", "theory"}
    staged : bool
        Average the visits of each stage of learning; see :func:`stages`.
    """
    names = places_of(features, "change_observable", observable)
    changes = (
        features["change"]
        .isel(change_name=names)
        .transpose("subject", "visit", "layer", "change_name")
    )
    learning = changes.isel(visit=changes["visit"] > 0) if changes.sizes["visit"] > 1 else changes
    values = _in_groups(features, learning.to_numpy())
    if staged:
        parts = [mean_of_finite(values[:, stage], 1) for stage in stages(values.shape[1])]
        values = np.stack(parts, axis=1)
    return _rows(features, values)


def stages(visits: int) -> list[slice]:
    """At most seven stages of learning, the first ones short, since early learning is fast.

    The visits of a stage are averaged, which reduces noise.

    >>> [stage.stop - stage.start for stage in stages(20)]
    [1, 1, 2, 3, 3, 5, 5]
    """
    count = min(visits, STAGES)
    edges = [max(k, round(visits * (k / count) ** 2)) for k in range(count + 1)]
    return [slice(*pair) for pair in pairwise(edges)]


def mean_of_finite(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of the finite values; NaN where there are none."""
    finite = np.isfinite(values)
    total, count = np.where(finite, values, 0.0).sum(axis), finite.sum(axis)
    found: np.ndarray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def has_visit_0(features: xr.Dataset) -> bool:
    """Return whether features include visit 0, before learning."""
    return "visit" in features.coords and bool((features["visit"] == 0).any())


def at_visit_0(features: xr.Dataset, observable: str) -> Samples:
    """One sample a subject: its statistics at visit 0, which the features must include.

    No rule has acted yet, so rules that are identified from these samples have leaked.
    """
    names = places_of(features, "statistic_observable", observable)
    first = (
        features["stat"]
        .sel(visit=[0])
        .isel(statistic=names)
        .transpose("subject", "visit", "layer", "statistic")
    )
    values = first.to_numpy()
    return _rows(features, _in_groups(features, np.sign(values) * np.log1p(np.abs(values))))


def published_statistics(features: xr.Dataset, observable: str) -> jt.Int[np.ndarray, " name"]:
    """Indices of the published statistics of an observable, in the order of :func:`by_layer`."""
    measured = places_of(features, "statistic_observable", observable)
    published = np.isin(label_text(features["statistic"]), PUBLISHED)
    found: np.ndarray = measured[published[measured]]
    return found


def by_layer(features: xr.Dataset, observable: str) -> Samples:
    """One sample a layer: the published statistics, and the third of the depth as context."""
    chosen = published_statistics(features, observable)
    stats = (
        features["stat"].isel(statistic=chosen).transpose("subject", "layer", "statistic", "visit")
    )
    group = features["depth_group"].transpose("subject", "layer").to_numpy()
    owners, layers = np.nonzero(group >= 0)
    depth = np.eye(GROUPS)[group[owners, layers]]
    values = stats.to_numpy()[owners, layers].reshape(len(owners), -1)
    pairs = pairs_of(features)
    return Samples(
        values=np.concatenate([depth, values], axis=1),
        labels=label_text(features["rule"])[owners],
        owners=owners,
        visits=features.sizes["visit"],
        context=GROUPS,
        pairs=None if pairs is None else pairs[owners],
    )


def pairs_of(features: xr.Dataset | xr.DataArray) -> np.ndarray | None:
    """Pair of each subject, by the coordinate ``pair``; None if the design is not paired."""
    if PAIR not in features.coords:
        return None
    return np.asarray(features[PAIR].values)


def places_of(
    features: xr.Dataset, coordinate: str, observable: str
) -> jt.Int[np.ndarray, " name"]:
    """Indices of the statistics or changes of an observable, by the coordinate that names it.

    All observables together do not include what theories predict. Theories predict changes; their
    statistics are those of the observables from which they are computed.
    """
    owners = label_text(features[coordinate])
    if observable == ALL:
        return np.flatnonzero(owners != THEORY)
    if observable == THEORY and coordinate == "statistic_observable":
        return np.flatnonzero(np.isin(owners, THEORY_READS))
    return np.flatnonzero(owners == observable)


def _in_groups(
    features: xr.Dataset, values: jt.Float[np.ndarray, "subject visit layer name"]
) -> jt.Float[np.ndarray, "subject visit column"]:
    """Means over the layers of each third, and differences between neighbouring thirds."""
    group = features["depth_group"].transpose("subject", "layer").to_numpy()
    means = [
        mean_of_finite(np.where((group == third)[:, None, :, None], values, np.nan), 2)
        for third in range(GROUPS)
    ]
    return np.concatenate([*means, means[1] - means[0], means[2] - means[1]], axis=2)


def _rows(features: xr.Dataset, values: jt.Float[np.ndarray, "subject visit column"]) -> Samples:
    subjects, visits, _ = values.shape
    return Samples(
        values=values.transpose(0, 2, 1).reshape(subjects, -1),
        labels=label_text(features["rule"]),
        owners=np.arange(subjects),
        visits=visits,
        pairs=pairs_of(features),
    )
