"""Which statistics, when and at which depth: what of a recording a decoder cannot do without.

Columns are exchanged among the subjects that were held out, and what is lost is counted. Statistics
that say the same stand in for one another, so whole families are exchanged as well as single ones.

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
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.columns import DEPTHS, KINDS, Columns, Group, groups_of
from virtuallab.decoder.comparison import balanced, drawn_means
from virtuallab.decoder.crossval import chosen_settings, fit, shuffled_folds
from virtuallab.decoder.exchanged import named_after_exchange
from virtuallab.decoder.intervals import dependence
from virtuallab.decoder.samples import Samples
from virtuallab.vocabulary import describe

_DRAWS: Final = 2_000


def permutation_relevance(
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
    """Measure what each group of columns is worth to a decoder that knows them all.

    In every fold of the strict scheme the decoder is trained as ever. Then, in the subjects held
    out, a group's columns are exchanged among subjects, all by one permutation. A group that others
    can stand in for is worth little, however well it would do alone.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    columns : Columns
        What the samples' columns are.
    classes : list of str
        Every rule there is.
    folds, inner_folds, seed : int
        As for :func:`~virtuallab.decoder.strict.cross_validated`, with the same folds.
    repeats : int
        Permutations in each fold, the same for all groups.
    confidence : float
        Of each interval alone, with many groups side by side.

    Returns
    -------
    xr.Dataset
        ``relevance`` (group), the drop of balanced accuracy, and ``relevance_interval`` (group,
        bound), by a bootstrap over subjects, widened because folds share training subjects
        (:func:`~virtuallab.decoder.intervals.dependence`). ``group_kind`` is
        "statistic", "family", "stage", "depth" or, where there are several, "observable";
        ``group_observable`` is what the group is of. A group of which nothing was measured is left
        out. Attributes ``balanced_accuracy`` with nothing exchanged, ``chance``, ``confidence``.
    """
    groups = list(groups_of(columns, np.isfinite(samples.values).any(0)))
    nothing = np.zeros(samples.values.shape[1], dtype=bool)
    members = [nothing, *(group.member for group in groups)]
    grid = classifier.grid("strict", samples)
    stream = np.random.default_rng(seed)
    right = np.zeros((len(members), len(samples.labels)))
    for train, test in shuffled_folds(samples.labels, folds, seed):
        inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
        settings = chosen_settings(classifier, samples, train, grid, inner, seed)
        fitted = fit(classifier, samples, train, settings, seed)
        named = named_after_exchange(
            fitted,
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


def regrouped(found: xr.Dataset) -> xr.Dataset:
    """Give each group one kind and its place again, after several questions were joined.

    Joined along a further axis, groups are sorted by name, and what describes one is missing where
    a question did not have it.
    """
    told = {}
    for name in ("group_kind", "group_observable"):
        each = found[name].transpose(..., "group").to_numpy().reshape(-1, found.sizes["group"])
        words = [{str(w) for w in column if isinstance(w, str)} for column in each.T]
        told[name] = [one.pop() if len(one) == 1 else "all" for one in words]
    places = [
        _place(str(name), kind)
        for name, kind in zip(found["group"].to_numpy(), told["group_kind"], strict=True)
    ]
    coords = {name: ("group", _words(words)) for name, words in told.items()}
    order = sorted(range(len(places)), key=places.__getitem__)
    return found.drop_vars(told).assign_coords(coords).isel(group=order)


def _place(name: str, kind: str) -> tuple[int, int]:
    """Kinds one after the other, stages by their first visit and depths from the first layer."""
    if kind == "stage":
        return KINDS.index(kind), int(name.split()[1])
    return KINDS.index(kind), DEPTHS.index(name) if kind == "depth" else 0


def _words(words: Iterable[str]) -> np.ndarray:
    return np.array(list(words), dtype=object)
