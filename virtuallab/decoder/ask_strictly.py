"""The strict scheme's verdict: how often it is right, what it states, and what is beside it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.decoder import splits, strict
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.beside import Beside
from virtuallab.decoder.calibration import reliability
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.columns import columns_of
from virtuallab.decoder.controls import Question, ask_all
from virtuallab.decoder.gini import gini_relevance
from virtuallab.decoder.metaparameters import metaparameters
from virtuallab.decoder.newcomers import told_apart
from virtuallab.decoder.relevance import permutation_relevance
from virtuallab.decoder.samples import Samples, by_subject
from virtuallab.decoder.trained import Answer
from virtuallab.decoder.verdict import accuracies, of_checks, of_confusion
from virtuallab.vocabulary import SUBJECT


def ask_strictly(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
    beside: Beside,
) -> xr.Dataset:
    """Identify each subject by decoders trained on others, and ask every control."""
    samples = by_subject(features, observable)
    strangers = None if beside.others is None else by_subject(beside.others, observable).values
    outcome, answer = strict.believed(
        classifier,
        samples,
        classes,
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=seed,
        others=strangers,
    )
    question = Question(
        classifier=classifier,
        features=features,
        samples=samples,
        observable=observable,
        classes=classes,
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=seed,
        permutations=analysis.permutations,
        confidence=analysis.confidence,
        outcome=outcome,
        performance=beside.performance,
        subjects=beside.subjects,
    )
    truth = np.array([classes.index(rule) for rule in samples.labels.tolist()])
    parts = [
        of_confusion(outcome.confusion, classes, analysis, seed),
        _stated(answer, truth, analysis).assign_coords(subject=features["subject"]),
        of_checks(ask_all(question)),
        _never_seen(classifier, features, samples, analysis, classes, seed),
        _left_out(samples, strangers, classes, analysis, seed),
        _relevance(classifier, features, samples, observable, classes, analysis, seed),
        _strengths(features, samples, classes, analysis, seed, beside),
    ]
    return xr.merge(parts, compat="equals", join="exact")


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


def _never_seen(
    classifier: Classifier,
    features: xr.Dataset,
    samples: Samples,
    analysis: Analysis,
    classes: list[str],
    seed: int,
) -> xr.Dataset:
    """Hold each group of each split out of training altogether."""
    out = {
        f"{split}: {name}": strict.held_out(
            classifier,
            samples,
            group,
            name,
            classes,
            inner_folds=analysis.inner_folds,
            seed=seed,
        ).confusion
        for split in analysis.held_out
        if splits.check(features, split) is None
        for group in [splits.groups_of(features, split)]
        for name in sorted(set(group.tolist()))
    }
    return accuracies("held_out", out, analysis, seed) if out else xr.Dataset()


def _left_out(
    samples: Samples,
    others: np.ndarray | None,
    classes: list[str],
    analysis: Analysis,
    seed: int,
) -> xr.Dataset:
    """Leave each rule out in turn; with two rules there would be nothing to choose among."""
    if len(classes) < 3:
        return xr.Dataset()
    told = [told_apart(samples, rule, others, folds=analysis.folds, seed=seed) for rule in classes]
    return xr.Dataset({"left_out_auroc": ("true_rule", np.array(told))})


def _relevance(
    classifier: Classifier,
    features: xr.Dataset,
    samples: Samples,
    observable: str,
    classes: list[str],
    analysis: Analysis,
    seed: int,
) -> xr.Dataset:
    """Ask which statistics carry the rule, when and how deep."""
    columns = columns_of(features, observable)
    lost = permutation_relevance(
        classifier,
        samples,
        columns,
        classes,
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=seed,
        confidence=analysis.confidence,
    )
    return lost.merge(gini_relevance(samples, columns, seed=seed)).drop_attrs(deep=False)


def _strengths(
    features: xr.Dataset,
    samples: Samples,
    classes: list[str],
    analysis: Analysis,
    seed: int,
    beside: Beside,
) -> xr.Dataset:
    """Read off, within each rule, the numbers in which its subjects differ."""
    if beside.subjects is None:
        return xr.Dataset()
    mine = beside.subjects.sel({SUBJECT: features[SUBJECT].values})
    return metaparameters(
        samples, mine, classes, folds=analysis.folds, confidence=analysis.confidence, seed=seed
    )
