"""Permutation importance of statistics, stages of learning and depths.

Columns are permuted among held-out subjects, and the loss of accuracy is measured. Correlated
statistics replace one another, so families are permuted as well as single statistics.

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

from virtuallab.decoder.diagnostics.grouped_permutation import predict_permuted
from virtuallab.decoder.features.columns import DEPTHS, KINDS, Columns, Group, groups_of
from virtuallab.decoder.model_selection import fit, nested, splits_of
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.comparison import balanced, bootstrap_means
from virtuallab.decoder.uncertainty.intervals import dependence
from virtuallab.vocabulary import describe

_DRAWS: Final = 2_000


def permutation_importance(task: DecodingTask, columns: Columns, *, repeats: int = 5) -> xr.Dataset:
    """Accuracy lost when a group of columns is permuted among held-out subjects.

    Decoders are trained as in the strict scheme. A group that others can replace has little
    importance, however accurate it would be alone. There are ``repeats`` permutations in each fold,
    the same for all groups.

    Returns
    -------
    xr.Dataset
        ``relevance`` (group), the drop of balanced accuracy, and ``relevance_interval`` (group,
        bound), by a bootstrap over subjects (in a paired design, over pairs), widened because folds
        share training subjects (:func:`~virtuallab.decoder.uncertainty.intervals.dependence`).
        ``group_kind`` is
        "statistic", "family", "stage", "depth" or, for several observables, "observable";
        ``group_observable`` is the observable of the group. Groups without measurements are left
        out. Attributes ``balanced_accuracy`` without permutation, ``chance``, ``confidence``.
    """
    samples, labels = task.samples, task.labels
    groups = list(groups_of(columns, np.isfinite(samples.values).any(0)))
    nothing = np.zeros(samples.values.shape[1], dtype=bool)
    members = [nothing, *(group.member for group in groups)]
    stream = np.random.default_rng(task.seed)
    correct = np.zeros((len(members), len(labels)))
    estimator = nested(task.classifier, samples, task.analysis.inner_folds, task.seed)
    for train, test in splits_of(samples, task.analysis.folds, task.seed):
        predicted = predict_permuted(
            fit(estimator, samples.take(train)),
            samples.values[train],
            samples.values[test],
            members,
            np.stack([stream.permutation(len(test)) for _ in range(repeats)]),
        )
        correct[:, test] = (predicted == labels[test]).mean(1)
    found = _labelled(groups, correct[0] - correct[1:], task)
    return found.assign_attrs(
        balanced_accuracy=float(balanced(correct[0], labels)),
        chance=1 / len(task.classes),
        confidence=task.confidence,
    )


def _labelled(
    groups: Sequence[Group],
    lost: jt.Float[np.ndarray, "group subject"],
    task: DecodingTask,
) -> xr.Dataset:
    tails = ((1 - task.confidence) / 2, (1 + task.confidence) / 2)
    mean = balanced(lost, task.labels)
    drawn = bootstrap_means(lost, task.labels, _DRAWS, task.seed, task.samples.pairs)
    spread = np.quantile(drawn, tails, axis=1).T - mean[:, None]
    # Rounded, so that a rounding error of the last digit does not move a bound away from 0.
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
    """Concatenated tables with groups in their original order, and with their descriptions.

    Concatenation sorts groups by name, and drops the description of groups that a table lacks.
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
    """Sort key: by kind; stages by their first visit, depths from the first layer."""
    if kind == "stage":
        return KINDS.index(kind), int(name.split()[1])
    return KINDS.index(kind), DEPTHS.index(name) if kind == "depth" else 0


def _words(words: Iterable[str]) -> np.ndarray:
    return np.array(list(words), dtype=object)
