"""Ask every classifier about every observable of one probe, and collect the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

from virtuallab.decoder import controls, paper, strict
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.intervals import balanced_accuracy, interval, standard_error_interval
from virtuallab.decoder.samples import by_layer, by_subject, knows_visit_0
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import describe

_BOUNDS = ("low", "high")


def identify(
    features: xr.Dataset, analysis: Analysis, seed: int, *, workers: int = 1
) -> xr.Dataset:
    """Identify the rules of a probe's subjects.

    Parameters
    ----------
    features : xr.Dataset
        Of one probe: ``stat``, ``change`` and ``flag`` over subjects, with the coordinates
        ``rule``, ``architecture`` and ``depth_group``.
    analysis : Analysis
    seed : int
        Of folds, permutations and classifiers.
    workers : int
        Processes to share the work among; they change nothing but the time.

    Returns
    -------
    xr.Dataset
        Over ``observable`` and ``classifier``: ``balanced_accuracy`` with its ``interval``,
        ``confusion`` (true_rule, predicted_rule), and by scheme: ``probability`` (subject,
        predicted_rule), the controls and held-out groups (strict), or ``optimism`` (paper).
        Attributes ``chance``, ``scheme``, ``n_subjects``, ``confidence``.
    """
    classes = sorted({str(rule) for rule in features["rule"].values})
    measured: list[str] = [name for name in analysis.observables if _is_measured(features, name)]
    loaded = features.load()
    answers = Parallel(n_jobs=min(workers, len(measured) * len(analysis.classifiers)))(
        delayed(_ask)(loaded, observable, CLASSIFIERS[name](), analysis, classes, seed)
        for observable in measured
        for name in analysis.classifiers
    )
    width = len(analysis.classifiers)
    rows = [
        xr.concat(answers[first : first + width], dim=_axis("classifier", analysis.classifiers))
        for first in range(0, len(answers), width)
    ]
    verdict: xr.Dataset = xr.concat(rows, dim=_axis("observable", measured))
    verdict.attrs = {
        "chance": 1 / len(classes),
        "scheme": analysis.scheme,
        "confidence": analysis.confidence,
        "n_subjects": features.sizes["subject"],
        "warnings": json.dumps(list(_warnings(features, analysis, measured))),
    }
    for name, variable in verdict.variables.items():
        variable.attrs = describe(str(name))
    return verdict


def _axis(name: str, values: list[str] | tuple[str, ...]) -> xr.DataArray:
    words = np.array([str(value) for value in values], dtype=object)
    return xr.DataArray(words, dims=name, name=name)


def _is_measured(features: xr.Dataset, observable: str) -> bool:
    if observable == "all":
        return True
    of = features["change_observable"].values == observable
    return bool(np.isfinite(features["change"].values[..., of]).any())


def _ask(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
) -> xr.Dataset:
    ask = _ask_strictly if analysis.scheme == "strict" else _ask_as_published
    return ask(features, observable, classifier, analysis, classes, seed)


def _ask_strictly(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
) -> xr.Dataset:
    samples = by_subject(features, observable)
    folds: Any = {"folds": analysis.folds, "inner_folds": analysis.inner_folds}
    outcome = strict.cross_validated(classifier, samples, classes, **folds, seed=seed)
    empty: dict[str, np.ndarray] = {}
    if knows_visit_0(features):
        empty["visit_0"] = controls.visit_0(
            classifier,
            features,
            observable,
            classes,
            **folds,
            repeats=max(analysis.permutations, 1),
            seed=seed,
        )
    if analysis.permutations:
        empty["permuted_labels"] = controls.permuted_labels(
            classifier,
            samples,
            classes,
            **folds,
            permutations=analysis.permutations,
            seed=seed,
        )
    verdict = _verdict(outcome.confusion, classes, analysis, seed)
    verdict["probability"] = (("subject", "predicted_rule"), outcome.probability)
    verdict = verdict.assign_coords(subject=features["subject"])
    if empty:
        verdict = _add_accuracies(
            verdict, "control", list(empty), list(empty.values()), analysis, seed
        )
    if analysis.hold_out:
        group = np.array([str(name) for name in features[analysis.hold_out].values])
        names = sorted(set(group))
        out = [
            strict.held_out(
                classifier,
                samples,
                group,
                name,
                classes,
                inner_folds=analysis.inner_folds,
                seed=seed,
            ).confusion
            for name in names
        ]
        verdict = _add_accuracies(verdict, "held_out", names, out, analysis, seed)
    return verdict


def _ask_as_published(
    features: xr.Dataset,
    observable: str,
    classifier: Classifier,
    analysis: Analysis,
    classes: list[str],
    seed: int,
) -> xr.Dataset:
    samples = by_layer(features, observable)
    by_layers, by_subjects = (
        paper.published(
            classifier, samples, classes, split(samples, analysis.splits, seed), analysis.grid, seed
        ).confusions
        for split in (paper.splits_by_layer, paper.splits_by_subject)
    )
    accuracies = np.array([balanced_accuracy(each) for each in by_layers])
    grouped = np.array([balanced_accuracy(each) for each in by_subjects])
    verdict = _verdict(by_layers.sum(0), classes, analysis, seed)
    verdict["balanced_accuracy"] = accuracies.mean()
    if len(accuracies) > 1:
        bounds = standard_error_interval(accuracies, analysis.confidence)
        verdict["interval"] = ("bound", np.array(bounds))
    verdict["optimism"] = accuracies.mean() - grouped.mean()
    return verdict


def _verdict(
    confusion: np.ndarray, classes: list[str], analysis: Analysis, seed: int
) -> xr.Dataset:
    rules = np.array(classes, dtype=object)
    return xr.Dataset(
        {
            "balanced_accuracy": balanced_accuracy(confusion),
            "interval": ("bound", np.array(interval(confusion, analysis.confidence, seed))),
            "confusion": (("true_rule", "predicted_rule"), confusion),
        },
        coords={
            "bound": np.array(_BOUNDS, dtype=object),
            "true_rule": rules,
            "predicted_rule": rules,
        },
    )


def _add_accuracies(
    verdict: xr.Dataset,
    dim: str,
    names: list[str],
    confusions: list[np.ndarray],
    analysis: Analysis,
    seed: int,
) -> xr.Dataset:
    """Add one accuracy with its interval for each entry of a further axis."""
    bounds = [interval(each, analysis.confidence, seed) for each in confusions]
    return verdict.assign(
        {
            f"{dim}_accuracy": (dim, np.array([balanced_accuracy(each) for each in confusions])),
            f"{dim}_interval": ((dim, "bound"), np.array(bounds)),
        }
    ).assign_coords({dim: np.array(names, dtype=object)})


def _warnings(features: xr.Dataset, analysis: Analysis, measured: list[str]) -> Iterator[str]:
    absent = [name for name in analysis.observables if name not in measured]
    if absent:
        yield f"not measured by this probe: {', '.join(absent)}"
    if analysis.scheme == "strict" and not knows_visit_0(features):
        yield "visit 0 is not recorded, so nothing says what was there before learning"
    if features.sizes["visit"] < 2:
        yield "one visit only: nothing can have changed, so no rule can show"
    if analysis.scheme == "paper" and analysis.grid == "quick":
        yield "settings were chosen from a quick grid, not from the published one"
