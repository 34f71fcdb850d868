"""Groups of subjects that are held out of training, by architecture, task, learning rate, ...

The accuracy on a held-out group estimates how well a decoder generalises to networks, tasks or
learning rates that it was not trained on. In a paired design a decoder that is trained on one
subject of a pair may recognise what another shares with it. Where a pair has subjects in several
groups, a group is therefore tested in parts: each by a decoder that was trained neither on the
group nor on any subject of the pairs that it tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
import xarray as xr

from virtuallab.decoder.pairs import count_rules
from virtuallab.vocabulary import LEARNING_RATE_FACTOR, PAIR

Split = Literal[
    "architecture",
    "family",
    "task",
    "loss",
    "learning_rate",
    "batch_size",
    "model_seed",
    "data_seed",
    "curriculum",
    "schedule",
    "start_from",
]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
# Splits whose groups have all subjects of a kind, which is a network and a task.
OF_KINDS: Final[tuple[Split, ...]] = ("architecture", "family", "task")
# Column that a split is made from, where its name differs.
_SOURCES: Final = {"family": "architecture"}
_PAIR_FOLDS: Final = 5  # parts in which a group is tested whose pairs are in other groups too
_CROSSED: Final = ("model_seed", "data_seed")
_THIRDS: Final = ("low", "middle", "high")
_SINGULAR: Final = {
    "architecture": "there is one architecture only",
    "family": "there is one family of architectures only",
    "task": "there is one task only",
    "loss": "all subjects learn by one loss",
    "learning_rate": "the learning rate is the same for all subjects of a rule",
    "batch_size": "there is one batch size only",
    "model_seed": "there is one model seed only",
    "data_seed": "there is one data seed only",
    "curriculum": "all subjects learn by one curriculum",
    "schedule": "all subjects have one schedule of learning rates",
    "start_from": "all subjects start alike",
}
# Columns that a store has only if their values are not the default ones of all subjects.
_DEFAULTED: Final = ("loss", "curriculum", "schedule", "start_from")


def groups_of(features: xr.Dataset, split: str) -> np.ndarray:
    """Group of each subject, as text (subject,).

    A family is read from its own column, or is the letters that an architecture's name begins
    with. Learning rates are divided in thirds within each rule, since rules may have different
    ranges.

    Parameters
    ----------
    features : xr.Dataset
        With ``rule`` and the column of the split as coordinates over ``subject``.
    split : str
        One of :data:`SPLITS`.

    Raises
    ------
    ValueError
        If the column of the split is not known.
    """
    return _grouped(_columns(features, split), split)


def kinds_of(columns: Mapping[str, Any] | xr.Dataset) -> np.ndarray:
    """Kind of each subject, its network and its task as far as they are known, as text (subject,).

    Parameters
    ----------
    columns : mapping from name to sequence, (subject,), or xr.Dataset
        Settings of the subjects; ``rule`` at least.
    """
    known = [columns[name] for name in ("architecture", "task") if name in columns]
    each = zip(*map(np.asarray, known), strict=True) if known else [("all",)] * len(columns["rule"])
    return np.array([" on ".join(map(str, names)) for names in each])


def without_halves(
    kinds: np.ndarray, rules: Sequence[str] | np.ndarray, pairs: Sequence[Any] | np.ndarray | None
) -> list[str]:
    """Kinds that have no two halves with the same rules: some rule has one subject, or one pair.

    Parameters
    ----------
    kinds, rules : sequence of str, (subject,)
    pairs : sequence, (subject,), optional
        Pair of each subject, in a paired design.
    """
    found = []
    for kind in np.unique(kinds):
        mine = kinds == kind
        own = None if pairs is None else np.asarray(pairs)[mine].tolist()
        if min(count_rules(np.asarray(rules)[mine].tolist(), own).values()) < 2:
            found.append(str(kind))
    return found


def outside_and_inside(
    groups: np.ndarray, labels: np.ndarray, pairs: np.ndarray | None, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows to train on and rows to test, so that every subject is tested once.

    Parameters
    ----------
    groups : array of str, (subject,)
    labels : array of str, (subject,)
        Rules, by which parts of pairs are stratified.
    pairs : array, (subject,), optional
        Pair of each subject, in a paired design.
    seed : int
        Of the parts.
    """
    # Not at the top: `validate --syntax` reads the names of splits without importing scikit-learn.
    from virtuallab.decoder.model_selection import stratified

    parts = [np.arange(len(groups))]
    if pairs is not None and _divided(pairs, groups):
        splitter = stratified(_pair_folds(pairs), seed, paired=True)
        parts = [rows for _, rows in splitter.split(labels, labels, pairs)]
    for name in np.unique(groups):
        for rows in parts:
            tested = rows[groups[rows] == name]
            outside = groups != name
            if pairs is not None:
                outside &= ~np.isin(pairs, pairs[tested])
            if len(tested):
                yield np.flatnonzero(outside), tested


def _divided(pairs: np.ndarray, groups: np.ndarray) -> bool:
    """True if some pair has subjects in several groups."""
    both = set(zip(pairs.tolist(), groups.tolist(), strict=True))
    return len(both) > len(set(pairs.tolist()))


def _pair_folds(pairs: np.ndarray) -> int:
    return min(_PAIR_FOLDS, len(np.unique(pairs)))


def check(features: xr.Dataset, split: str, least: int = 1) -> str | None:
    """Return why recorded subjects cannot be split, as :func:`check_columns`."""
    return check_columns(_columns(features, split), split, least)


def is_known(columns: Mapping[str, Any], split: str) -> bool:
    """Return whether planned subjects can be grouped by their settings."""
    return split in columns or _SOURCES.get(split) in columns


def check_columns(columns: Mapping[str, Any], split: str, least: int = 1) -> str | None:
    """Return why subjects cannot be split; None if they can.

    Parameters
    ----------
    columns : mapping from name to sequence, (subject,)
        ``rule``, and known settings of the subjects; in a paired design also ``pair``.
    split : str
    least : int
        Subjects of each rule that must be left for training.
    """
    known = {name: np.asarray(values) for name, values in columns.items()}
    try:
        groups = _grouped(known, split)
    except ValueError as error:
        return str(error)
    return _problem(groups, known, split, least)


def family_of(architecture: str) -> str:
    """Family of an architecture: its name without size and variant.

    >>> [family_of(name) for name in ("knet4", "convnet-2", "resnet18v2", "mlp")]
    ['knet', 'convnet', 'resnet', 'mlp']
    """
    found = re.match(r"[^\d-]+", architecture)
    return found.group().rstrip("_") if found else architecture


def _columns(features: xr.Dataset, split: str) -> dict[str, np.ndarray]:
    """Columns that a split is made from, if known."""
    names = dict.fromkeys(("rule", PAIR, LEARNING_RATE_FACTOR, split, _SOURCES.get(split, split)))
    return {name: features[name].values for name in names if name in features.variables}


def _grouped(columns: Mapping[str, np.ndarray], split: str) -> np.ndarray:
    if split == "family" and split not in columns and "architecture" in columns:
        return np.array([family_of(str(name)) for name in columns["architecture"]])
    if split not in columns:
        unknown = f"nothing is known of the subjects' {split}"
        if split in _CROSSED:
            unknown += ", which subjects.seeds gives"
        raise ValueError(_SINGULAR[split] if split in _DEFAULTED else unknown)
    if split == "learning_rate":
        rates = columns[split].astype(np.float64)
        # Relative to the factor of an architecture, so that no third has one architecture alone.
        return _thirds(rates / columns.get(LEARNING_RATE_FACTOR, 1.0), columns["rule"])
    return np.array([str(value) for value in columns[split]])


def _thirds(rates: np.ndarray, rules: np.ndarray) -> np.ndarray:
    """Low, middle or high, for each learning rate among those of its rule."""
    if not np.isfinite(rates).all() or (rates <= 0).any():
        raise ValueError("some subjects have no learning rate")
    groups = np.empty(len(rates), dtype=object)
    for rule in set(rules.tolist()):
        mine = rules == rule
        bounds = np.quantile(np.log(rates[mine]), [1 / 3, 2 / 3])
        places = np.searchsorted(bounds, np.log(rates[mine]))
        groups[mine] = np.array(_THIRDS, dtype=object)[places]
    return groups.astype(str)


def _problem(
    groups: np.ndarray, known: Mapping[str, np.ndarray], split: str, least: int
) -> str | None:
    rules, pairs = known["rule"], known.get(PAIR)
    if len(set(groups.tolist())) < 2:
        return f"{_SINGULAR[split]}; none can be held out."
    lost = 0.0  # share of the pairs outside a group that are tested inside it
    if pairs is not None and _divided(pairs, groups):
        if len(np.unique(pairs)) < 2:
            return "all subjects are of one pair, so that none is left to train on."
        lost = 1 / _pair_folds(pairs)
    for rule in sorted({str(each) for each in rules}):
        mine = set(groups[rules == rule].tolist())
        if len(mine) < 2:
            [only] = mine
            return (
                f"rule {rule!r} occurs in {only!r} only; where that is held out, "
                "no decoder is trained on it."
            )
        for out in sorted(mine):
            rest = (rules == rule) & (groups != out)
            left = int(rest.sum()) if pairs is None else len(set(pairs[rest].tolist()))
            left -= math.ceil(left * lost)
            if left < least:
                return (
                    f"where {out!r} is held out, {left} of rule {rule!r} are left to train on; "
                    f"needs at least {least}, one for each inner fold."
                )
    return None
