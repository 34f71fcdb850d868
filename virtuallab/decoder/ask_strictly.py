"""The strict scheme's verdict: how often it is right, what it states, and what is beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from virtuallab.decoder import splits, strict
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.calibration import reliability
from virtuallab.decoder.columns import columns_of
from virtuallab.decoder.controls import EVERY, Question, ask_all
from virtuallab.decoder.gini import gini_relevance
from virtuallab.decoder.metaparameters import metaparameters
from virtuallab.decoder.newcomers import told_apart
from virtuallab.decoder.relevance import permutation_relevance
from virtuallab.decoder.samples import by_subject
from virtuallab.decoder.trained import Answer
from virtuallab.decoder.verdict import accuracies, of_checks, of_confusion
from virtuallab.vocabulary import SUBJECT


def ask_strictly(
    question: Question,
    analysis: Analysis,
    others: xr.Dataset | None,
    step: Callable[[], None] = strict.nothing,
) -> xr.Dataset:
    """Identify each subject by decoders trained on others, and ask every control.

    Parameters
    ----------
    question : Question
        Its samples are whole subjects.
    analysis : Analysis
    others : xr.Dataset, optional
        Features of subjects of rules that are not to be named.
    step : callable
        Called after each of :func:`strict_steps`.
    """
    samples, classes, seed = question.samples, question.classes, question.seed
    strangers = None if others is None else by_subject(others, question.observable).values
    outcome, answer = strict.believed(
        question.classifier,
        samples,
        classes,
        folds=question.folds,
        inner_folds=question.inner_folds,
        seed=seed,
        repeats=question.draws,
        others=strangers,
        step=step,
    )
    truth = np.array([classes.index(rule) for rule in samples.labels.tolist()])
    parts = [
        of_confusion(outcome.confusion, classes, analysis.confidence, repeats=question.draws),
        _stated(answer, truth, analysis).assign_coords(subject=question.features["subject"]),
        of_checks(ask_all(replace(question, outcome=outcome), step=step)),
    ]
    diagnostics = (
        partial(_never_seen, question, analysis),
        partial(_left_out, question, strangers),
        partial(_relevance, question),
        partial(_strengths, question),
    )
    for diagnostic in diagnostics:
        parts.append(diagnostic())
        step()
    return xr.merge(parts, compat="equals", join="exact")


def strict_steps(analysis: Analysis) -> int:
    """Number of steps of one question: folds, further draws, controls, and four diagnostics."""
    return analysis.folds + analysis.repeats - 1 + len(EVERY) + 4


def _stated(answer: Answer, truth: np.ndarray, analysis: Analysis) -> xr.Dataset:
    """Put what was stated beside what is true."""
    found = reliability(answer.probability, truth)
    sets = answer.sets(analysis.coverage)
    inside = sets[np.arange(len(truth)), truth]
    bins = np.full((3, _BINS), np.nan)  # as many for every question, so that they can be joined
    for row, values in enumerate((found.stated, found.observed, found.count)):
        bins[row, : len(values)] = values
    of_rules = ("subject", "predicted_rule")
    return xr.Dataset(
        {
            "probability": (of_rules, answer.probability),
            "p_value": (of_rules, answer.p_value),
            "familiar": ("subject", answer.familiar),
            "reliability_stated": ("bin", bins[0]),
            "reliability_observed": ("bin", bins[1]),
            "reliability_count": ("bin", bins[2]),
            "calibration_error": found.error,
            "calibration_error_least": found.least_error,
            "brier": found.brier,
            "coverage": inside.mean(),
            "set_size": sets.sum(1).mean(),
        }
    )


_BINS = 10


def _never_seen(question: Question, analysis: Analysis) -> xr.Dataset:
    """Hold each group of each split out of training altogether."""
    out = {
        f"{split}: {name}": strict.held_out(
            question.classifier,
            question.samples,
            group,
            name,
            question.classes,
            inner_folds=question.inner_folds,
            seed=question.seed,
        ).confusion
        for split in analysis.held_out
        if splits.check(question.features, split, question.inner_folds) is None
        for group in [splits.groups_of(question.features, split)]
        for name in sorted(set(group.tolist()))
    }
    return accuracies("held_out", out, analysis.confidence) if out else xr.Dataset()


def _left_out(question: Question, strangers: np.ndarray | None) -> xr.Dataset:
    """Leave each rule out in turn; with two rules there would be nothing to choose among."""
    if len(question.classes) < 3:
        return xr.Dataset()
    told = [
        told_apart(question.samples, rule, strangers, folds=question.folds, seed=question.seed)
        for rule in question.classes
    ]
    return xr.Dataset({"left_out_auroc": ("true_rule", np.array(told))})


def _relevance(question: Question) -> xr.Dataset:
    """Ask which statistics carry the rule, when and how deep."""
    columns = columns_of(question.features, question.observable)
    lost = permutation_relevance(
        question.classifier,
        question.samples,
        columns,
        question.classes,
        folds=question.folds,
        inner_folds=question.inner_folds,
        seed=question.seed,
        confidence=question.confidence,
    )
    gini = gini_relevance(question.samples, columns, seed=question.seed)
    return lost.merge(gini).drop_attrs(deep=False)


def _strengths(question: Question) -> xr.Dataset:
    """Read off, within each rule, the numbers in which its subjects differ."""
    if question.subjects is None:
        return xr.Dataset()
    return metaparameters(
        question.samples,
        question.subjects.sel({SUBJECT: question.features[SUBJECT].values}),
        question.classes,
        folds=question.folds,
        confidence=question.confidence,
        seed=question.seed,
    )
