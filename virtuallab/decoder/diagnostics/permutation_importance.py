"""Permutation importance of statistics, stages of learning and depths.

Columns are permuted among held-out subjects, and the accuracy lost is counted. Correlated
statistics replace one another, so whole families are permuted as well as single statistics.

References
----------
Breiman 2001, "Random Forests", section 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.diagnostics.grouped_permutation import predict_permuted
from virtuallab.decoder.features.columns import DEPTHS, KINDS, Columns, Group, groups_of
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, grid_search, stratified
from virtuallab.decoder.uncertainty.comparison import balanced, drawn_means
from virtuallab.decoder.uncertainty.intervals import dependence
from virtuallab.vocabulary import describe

_DRAWS: Final = 2_000


def permutation_importance(
    classifier: Classifier,
    samples: Samples,
    columns: Columns,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    repeats: int = 5,
    confidence: float = 0.95,
) -> xr.Dataset:
    """Accuracy lost when a group of columns is permuted among held-out subjects.

    Decoders are trained as in the strict scheme. A group that others can replace has little
    importance, however accurate it would be alone.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    columns : Columns
        Description of the samples' columns.
    classes : list of str
        All rules, sorted.
    folds, inner_folds, seed : int
        As for :func:`~virtuallab.decoder.schemes.cross_validation.cross_validate`.
    repeats : int
        Permutations in each fold, the same for all groups.
    confidence : float
        Of each interval alone, with many groups side by side.

    Returns
    -------
    xr.Dataset
        ``relevance`` (group), the drop of balanced accuracy, and ``relevance_interval`` (group,
        bound), by a bootstrap over subjects, widened because folds share training subjects
        (:func:`~virtuallab.decoder.uncertainty.intervals.dependence`). ``group_kind`` is
        "statistic", "family", "stage", "depth" or, where there are several, "observable";
        ``group_observable`` is the observable of the group. Groups without measurements are left
        out. Attributes ``balanced_accuracy`` without permutation, ``chance``, ``confidence``.
    """
    groups = list(groups_of(columns, np.isfinite(samples.values).any(0)))
    nothing = np.zeros(samples.values.shape[1], dtype=bool)
    members = [nothing, *(group.member for group in groups)]
    grid = classifier.grid("strict", samples)
    stream = np.random.default_rng(seed)
    right = np.zeros((len(members), len(samples.labels)))
    estimator = grid_search(classifier, samples, grid, stratified(inner_folds, seed), seed)
    for train, test in stratified(folds, seed).split(samples.values, samples.labels):
        named = predict_permuted(
            fit(estimator, samples.take(train)),
            samples.values[train],
            samples.values[test],
            members,
            np.stack([stream.permutation(len(test)) for _ in range(repeats)]),
        )
        right[:, test] = (named == samples.labels[test]).mean(1)
    found = _labelled(groups, right[0] - right[1:], samples.labels, confidence, seed)
    return found.assign_attrs(
        balanced_accuracy=float(balanced(right[0], samples.labels)),
        chance=1 / len(classes),
        confidence=confidence,
    )


def _labelled(
    groups: Sequence[Group],
    lost: jt.Float[np.ndarray, "group subject"],
    labels: np.ndarray,
    confidence: float,
    seed: int,
) -> xr.Dataset:
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    mean = balanced(lost, labels)
    spread = np.quantile(drawn_means(lost, labels, _DRAWS, seed), tails, axis=1).T - mean[:, None]
    # Rounded, since a bound of 0 must not be missed by an error of the last digit.
    bounds = (mean[:, None] + np.sqrt(dependence()) * spread).round(12)
    found = xr.Dataset(
        {
            "relevance": ("group", mean),
            "relevance_interval": (("group", "bound"), bounds),
        },
        coords={
            "group": _words(group.name for group in groups),
            "group_kind": ("group", _words(group.kind for group in groups)),
            "group_observable": ("group", _words(group.observable for group in groups)),
            "bound": _words(("low", "high")),
        },
    )
    for name, variable in found.variables.items():
        variable.attrs = describe(str(name))
    return found


def in_order(found: xr.Dataset) -> xr.Dataset:
    """Restore the order and the description of groups after tables were concatenated.

    Concatenation sorts groups by name, and leaves their description out where a table had no such
    group.
    """
    described = {}
    for name in ("group_kind", "group_observable"):
        each = found[name].transpose(..., "group").to_numpy().reshape(-1, found.sizes["group"])
        words = [{str(w) for w in column if isinstance(w, str)} for column in each.T]
        described[name] = [one.pop() if len(one) == 1 else "all" for one in words]
    places = [
        _place(str(name), kind)
        for name, kind in zip(found["group"].to_numpy(), described["group_kind"], strict=True)
    ]
    coords = {name: ("group", _words(words)) for name, words in described.items()}
    order = sorted(range(len(places)), key=places.__getitem__)
    return found.drop_vars(described).assign_coords(coords).isel(group=order)


def _place(name: str, kind: str) -> tuple[int, int]:
    """Sort key: kinds in turn, stages by their first visit, depths from the first layer."""
    if kind == "stage":
        return KINDS.index(kind), int(name.split()[1])
    return KINDS.index(kind), DEPTHS.index(name) if kind == "depth" else 0


def _words(words: Iterable[str]) -> np.ndarray:
    return np.array(list(words), dtype=object)
