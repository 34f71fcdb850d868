"""The strict scheme: one verdict a subject, on subjects the decoder never saw.

Outer folds are drawn over subjects, stratified by rule and shuffled. Filling, scaling and the
choice of settings happen inside the training subjects of each fold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import jaxtyping as jt
import numpy as np
from sklearn.model_selection import StratifiedKFold

from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.crossval import (
    chosen_settings,
    confusion_of,
    fit,
    probabilities,
    shuffled_folds,
)
from virtuallab.decoder.familiarity import Values
from virtuallab.decoder.samples import Samples
from virtuallab.decoder.trained import Answer, train


def nothing() -> None:
    """Do nothing: what is called after each step where nobody counts them."""


@dataclass(frozen=True)
class Outcome:
    """What came of testing every subject once.

    Parameters
    ----------
    confusion : array, (true, predicted)
    probability : array, (sample, rule)
    """

    confusion: jt.Float[np.ndarray, "true predicted"]
    probability: jt.Float[np.ndarray, "sample rule"]


def cross_validated(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    select: bool = True,
) -> Outcome:
    """Identify each subject with a decoder trained on the others.

    Parameters
    ----------
    classifier : Classifier
    samples : Samples
        One a subject.
    classes : list of str
        Every rule there is.
    folds, inner_folds : int
    seed : int
        Of the folds and of the classifier.
    select : bool
        Choose settings by inner folds; otherwise the middle of the grid is taken.
    """
    grid = classifier.grid("strict", samples)
    grid = grid if select else [grid[len(grid) // 2]]
    found = np.zeros((len(samples.labels), len(classes)))
    for rows, test in shuffled_folds(samples.labels, folds, seed):
        inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
        settings = chosen_settings(classifier, samples, rows, grid, inner, seed)
        fitted = fit(classifier, samples, rows, settings, seed)
        found[test] = probabilities(fitted, samples, test, classes)
    return _outcome(samples.labels, found, classes)


def believed(
    classifier: Classifier,
    samples: Samples,
    classes: list[str],
    *,
    folds: int,
    inner_folds: int,
    seed: int,
    others: Values | None = None,
    step: Callable[[], None] = nothing,
) -> tuple[Outcome, Answer]:
    """Identify each subject as :func:`cross_validated` does, and say how sure that is.

    Probabilities, conformity and familiarity of a subject are those of a decoder that was trained
    and calibrated on the others; parameters as for :func:`~virtuallab.decoder.trained.train`.
    ``step`` is called after each fold.
    """
    parts: list[Answer] = []
    rows: list[np.ndarray] = []
    for train_rows, test in shuffled_folds(samples.labels, folds, seed):
        trained = train(
            classifier,
            samples,
            train_rows,
            classes,
            inner_folds=inner_folds,
            seed=seed,
            others=others,
        )
        parts.append(trained.answer(samples.values[test]))
        rows.append(test)
        step()
    order = np.argsort(np.concatenate(rows))
    answer = Answer(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Answer)
        }
    )
    return _outcome(samples.labels, answer.probability, classes), answer


def held_out(
    classifier: Classifier,
    samples: Samples,
    group: np.ndarray,
    out: str,
    classes: list[str],
    *,
    inner_folds: int,
    seed: int,
) -> Outcome:
    """Identify the subjects of one group with a decoder trained on all other groups.

    Parameters
    ----------
    group : array of str, (sample,)
        Say, each subject's architecture.
    out : str
        The group that is held out.
    """
    rows, test = np.flatnonzero(group != out), np.flatnonzero(group == out)
    inner = StratifiedKFold(inner_folds, shuffle=True, random_state=seed % 2**32)
    grid = classifier.grid("strict", samples)
    settings = chosen_settings(classifier, samples, rows, grid, inner, seed)
    fitted = fit(classifier, samples, rows, settings, seed)
    return _outcome(samples.labels[test], probabilities(fitted, samples, test, classes), classes)


def _outcome(labels: np.ndarray, found: np.ndarray, classes: list[str]) -> Outcome:
    predicted = np.array(classes, dtype=object)[found.argmax(1)]
    return Outcome(confusion_of(labels, predicted, classes), found)
