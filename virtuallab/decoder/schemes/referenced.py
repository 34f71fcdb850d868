"""Accuracy on kinds that were held out of training, with references of the held-out kind.

A decoder reads features relative to the centre of their kind (`decoder/features/centring.py`). In
training the centre is the median of a kind's training subjects. The centre of a held-out kind is
that of references, for which there are several choices:

- other subjects of the kind under all rules, as simulated twins of a preparation are;
- a few of them;
- subjects of the kind under one known rule;
- subjects that share the rule of the tested subject, as animals of one preparation do, alone or as
  four of five. The signal is then centred away, so that this choice shows what not to do.

A reference is never the tested subject, nor of its pair. Halves of a kind are each other's
references, so that every rule needs two subjects of a kind; kinds with fewer are not tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.centring import Centres
from virtuallab.decoder.features.samples import Rows, Samples
from virtuallab.decoder.model_selection import fit, nested, splits_of
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW,
    FEW_RULES,
    MOSTLY_OWN_RULE,
    OWN_RULE,
    one_rule,
)
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup, confusion_of
from virtuallab.decoder.schemes.splits import without_halves

_FOLDS: Final = 2  # groups of a kind's subjects, each of which is the other's reference
_OWN_SHARE = 0.8

Choice = Callable[[int, Rows], Rows]  # tested sample, and possible references -> references


def cross_validate_referenced(
    classifier: Classifier,
    samples: Samples,
    kinds: np.ndarray,
    group: np.ndarray,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
) -> Mapping[tuple[str, str], HeldOutGroup]:
    """Result of each choice of references in each group, by a decoder trained on other groups.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    kinds : array of str, (sample,)
        Kind of each subject; all subjects of a kind are in one group.
    group : array of str, (sample,)
        Group that is held out, such as an architecture.
    classes : list of str
        All rules, sorted.
    inner_folds : int
        Groups of training subjects that choose settings.
    seed : int
        Seed of the folds, of the classifier and of the few references.

    Returns
    -------
    mapping from (choice, group) to HeldOutGroup
        Without groups of which no subject has references.
    """
    found = {}
    for name in np.unique(group):
        out = np.flatnonzero(group == name)
        inside = np.flatnonzero(group != name)
        centres = Centres.of(samples.values[inside], kinds[inside])
        centred = centres.centred(samples.values[inside], kinds[inside])
        training = replace(samples.take(inside), values=centred)
        estimator = fit(nested(classifier, training, inner_folds, seed), training)
        tested = samples.take(out)
        read = partial(_relative, centres)
        for choice, rows, values in read_choices(read, tested, kinds[out], classes, seed):
            mine = tested.take(rows)
            predicted = estimator.predict(values)
            correct = (predicted == mine.labels).astype(np.float64)
            found[choice, str(name)] = HeldOutGroup(
                confusion_of(mine.labels, predicted, classes),
                pair_effect(correct, mine.labels, mine.pairs),
            )
    return found


def _relative(centres: Centres, values: np.ndarray, references: np.ndarray) -> np.ndarray:
    found: np.ndarray = values - centres.centre(references)
    return found


def read_choices(
    read: Callable[[np.ndarray, np.ndarray], np.ndarray],
    tested: Samples,
    kinds: np.ndarray,
    classes: list[str],
    seed: int,
    choices: Collection[str] | None = None,
) -> Iterator[tuple[str, Rows, np.ndarray]]:
    """Yield each choice of references, the rows that have some, and their values as read.

    Parameters
    ----------
    read : callable
        From values of subjects, (subject, column), and of their references, (reference, column), to
        values as a decoder reads them, (subject, feature).
    tested, kinds, classes, seed
        As for :func:`references_of`.
    choices : collection of str, optional
        Choices of references; all if not given.
    """
    for name, chosen in references_of(tested, kinds, classes, seed):
        together: dict[tuple[int, ...], list[int]] = {}  # most of a half have the same references
        for place, references in enumerate(chosen.values()):
            together.setdefault(tuple(references.tolist()), []).append(place)
        if not together or (choices is not None and name not in choices):
            continue
        rows, order = np.array(list(chosen)), np.concatenate([*map(np.array, together.values())])
        values = [
            read(tested.values[rows[places]], tested.values[list(references)])
            for references, places in together.items()
        ]
        yield name, rows, np.concatenate(values)[np.argsort(order)]


def references_of(
    tested: Samples, kinds: np.ndarray, classes: list[str], seed: int
) -> Iterator[tuple[str, dict[int, Rows]]]:
    """Yield each choice of references, and the rows of the references of each tested sample.

    Parameters
    ----------
    tested : Samples
        One a subject.
    kinds : array of str, (sample,)
        Kind of each subject.
    classes : list of str
        All rules, sorted.
    seed : int
        Seed of the halves and of the few references.

    Yields
    ------
    (str, dict of int to array)
        Samples that have no references are left out.
    """
    stream = np.random.default_rng(seed)
    labels = tested.labels

    def few(row: int, others: Rows) -> Rows:
        return stream.permutation(others)[:FEW]

    def own(row: int, others: Rows) -> Rows:
        mine: np.ndarray = others[labels[others] == labels[row]]
        return mine

    def mostly_own(row: int, others: Rows) -> Rows:
        mine, rest = own(row, others), others[labels[others] != labels[row]]
        count = round(len(mine) * (1 - _OWN_SHARE) / _OWN_SHARE)
        return np.concatenate([mine, stream.permutation(rest)[:count]])

    def of_rule(rule: str) -> Choice:
        return lambda row, others: others[labels[others] == rule]

    choices: dict[str, Choice] = {
        ALL_RULES: lambda row, others: others,
        FEW_RULES: few,
        **{one_rule(rule): of_rule(rule) for rule in classes},
        MOSTLY_OWN_RULE: mostly_own,
        OWN_RULE: own,
    }
    others = _others(tested, kinds, seed)
    for name, choice in choices.items():
        chosen = {row: choice(row, possible) for row, possible in others.items()}
        yield name, {row: references for row, references in chosen.items() if len(references)}


def _others(tested: Samples, kinds: np.ndarray, seed: int) -> Mapping[int, Rows]:
    """Possible references of each tested sample: the other half of its kind."""
    found: dict[int, Rows] = {}
    few = without_halves(kinds, tested.labels, tested.pairs)
    for kind in np.setdiff1d(kinds, few):
        rows = np.flatnonzero(kinds == kind)
        for references, halves in splits_of(tested.take(rows), _FOLDS, seed):
            found |= dict.fromkeys(rows[halves].tolist(), rows[references])
    return found
