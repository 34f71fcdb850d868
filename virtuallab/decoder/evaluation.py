"""Evaluation of every observable of one probe by every classifier of an analysis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.diagnostics.permutation_importance import in_order
from virtuallab.decoder.features.samples import (
    Samples,
    by_subject,
    has_visit_0,
    pairs_of,
    places_of,
)
from virtuallab.decoder.schemes import published, splits, strict
from virtuallab.decoder.schemes.cross_validation import no_progress
from virtuallab.decoder.tables import with_corrected_controls
from virtuallab.decoder.task import DecodingTask
from virtuallab.errors import NotDecoded
from virtuallab.installed import begin_process
from virtuallab.labels import label_text
from virtuallab.registry import CLASSIFIERS
from virtuallab.text import diverged
from virtuallab.vocabulary import DIVERGED, FAILED, RULE, SUBJECT, THEORY, describe


def evaluate(
    features: xr.Dataset,
    analysis: Analysis,
    seed: int,
    *,
    workers: int = 1,
    subjects: xr.Dataset | None = None,
    performance: xr.DataArray | None = None,
    noise: xr.Dataset | None = None,
    step: Callable[[], None] = no_progress,
) -> xr.Dataset:
    """Identify the rules of a probe's subjects, with controls and diagnostics.

    Parameters
    ----------
    features : xr.Dataset
        Of one probe: ``stat``, ``change`` and ``flag`` over subjects, with the coordinates
        ``rule``, ``architecture`` and ``depth_group``; of a paired design also ``pair``.
    analysis : Analysis
    seed : int
        Of folds, permutations and classifiers.
    workers : int
        Number of processes; the result does not depend on it.
    subjects : xr.Dataset, optional
        Settings of each subject; for controls only.
    performance : xr.DataArray, optional
        Validation accuracy (subject, visit); for controls only.
    noise : xr.Dataset, optional
        Features of the same subjects with the signal removed, for a control; None if the probe has
        no noise.
    step : callable
        Called after each of :func:`n_steps`, in a worker process, so that it must be picklable.

    Returns
    -------
    xr.Dataset
        Over ``observable`` and ``classifier``: ``balanced_accuracy`` with its ``interval`` and
        ``confusion`` (true_rule, predicted_rule). In the strict scheme: ``probability`` and
        ``p_value`` (subject, predicted_rule) and ``familiar`` (subject), by a decoder that was not
        trained on the subject; their reliability: ``reliability_*`` (bin),
        ``calibration_error``, ``brier``, ``coverage``, ``set_size``, ``empty_sets``; ``control_*``
        (control), ``held_out_*`` (held_out), ``referenced_*`` (reference, held_out_kind),
        ``left_out_auroc`` (true_rule). In the published scheme: ``optimism`` and ``control_*``. In
        a paired design, ``pair_effect``, by which the variance of an accuracy is larger
        (:func:`virtuallab.decoder.pairs.pair_effect`). Attributes ``chance``, ``scheme``,
        ``n_subjects``, ``confidence``, ``repeats`` (draws of the folds that
        accuracies are averaged over), ``nominal_coverage``, and ``primary``, the primary comparison
        as JSON.

    Raises
    ------
    NotDecoded
        If fewer than two rules have enough subjects, or the probe measured none of the analysis'
        observables.
    """
    labels = label_text(features[RULE])
    other = np.isin(labels, analysis.others)
    outliers = features.isel({SUBJECT: other}).load() if other.any() else None
    planned: list[str] = []
    if subjects is not None and RULE in subjects:
        planned = label_text(subjects[RULE]).tolist()
    pairs = pairs_of(features)
    few = analysis.too_few(
        labels[~other].tolist(),
        set(planned) - set(analysis.others),
        None if pairs is None else pairs[~other].tolist(),
    )
    features = features.isel({SUBJECT: ~other & ~np.isin(labels, list(few))})
    if len(set(features[RULE].values.tolist())) < 2:
        raise NotDecoded(_too_few_rules(few, analysis, subjects))
    measured = [name for name in analysis.observables if _is_measured(features, name)]
    if not measured:
        names = ", ".join(analysis.observables)
        raise NotDecoded(f"this probe measured none of the observables to read: {names}")
    features = features.load()
    noise = None if noise is None else noise.load()
    samples = {observable: by_subject(features, observable) for observable in measured}
    novel: dict[str, Samples] = {}
    if outliers is not None:
        novel = {observable: by_subject(outliers, observable) for observable in measured}
    width = len(analysis.classifiers)
    pool = Parallel(n_jobs=min(workers, len(measured) * width), initializer=begin_process)
    results = pool(
        delayed(evaluate_task)(
            DecodingTask(
                analysis=analysis,
                classifier=CLASSIFIERS[name](),
                features=features,
                samples=samples[observable],
                observable=observable,
                seed=seed,
                performance=performance,
                subjects=subjects,
                noise=noise,
            ),
            novel.get(observable),
            step,
        )
        for observable in measured
        for name in analysis.classifiers
    )
    rows = [
        _concatenated(results[first : first + width], "classifier", analysis.classifiers)
        for first in range(0, len(results), width)
    ]
    result = _concatenated(rows, "observable", measured)
    if "relevance" in result:
        result = in_order(result)
    result.attrs |= {
        "primary": json.dumps(analysis.primary.named if analysis.primary else {}),
        "warnings": json.dumps(
            [*_left_out(few, analysis), *_warnings(features, analysis, measured)]
        ),
    }
    for name, variable in result.variables.items():
        variable.attrs = describe(str(name))
    return with_corrected_controls(result)


def evaluate_task(
    task: DecodingTask, outliers: Samples | None, step: Callable[[], None] = no_progress
) -> xr.Dataset:
    """Evaluation of one task by its scheme, without correction for several tests."""
    analysis = task.analysis
    if analysis.scheme == "strict":
        found = strict.evaluate(task, outliers, step)
    else:
        found = published.evaluate(task, step)
    return found.assign_attrs(
        chance=1 / len(task.classes),
        scheme=analysis.scheme,
        confidence=analysis.confidence,
        repeats=analysis.repeats if analysis.scheme == "strict" else 1,
        nominal_coverage=analysis.coverage,
        n_subjects=len(task.labels),
    )


def n_steps(features: xr.Dataset, analysis: Analysis) -> int:
    """Number of steps of :func:`evaluate` for features and an analysis."""
    measured = [name for name in analysis.observables if _is_measured(features, name)]
    each = strict.n_steps(analysis) if analysis.scheme == "strict" else published.STEPS
    return each * len(measured) * len(analysis.classifiers)


def _concatenated(parts: list[xr.Dataset], dim: str, labels: Sequence[str]) -> xr.Dataset:
    """Tables along a new axis; observables differ in the names of their statistics."""
    axis = xr.DataArray(np.array(labels, dtype=object), dims=dim, name=dim)
    return xr.concat(parts, dim=axis, join="outer", coords="different", compat="equals")


def _too_few_rules(few: Mapping[str, int], analysis: Analysis, subjects: xr.Dataset | None) -> str:
    """Return why fewer than two rules remain, and a remedy."""
    found = ", ".join(f"{n} of {rule!r}" for rule, n in few.items()) or "only one rule"
    remedy = "train more subjects"
    if subjects is not None and "status" in subjects:
        lost = int(subjects["status"].isin((DIVERGED, FAILED)).sum())
        if lost:
            remedy = diverged(lost, subjects.sizes[SUBJECT])
    if analysis.scheme == "strict":
        remedy += ", or lower folds or inner_folds"
    return (
        f"too few subjects of its rules remain: {found}, where {analysis.needed} of each of two "
        f"rules are needed ({remedy})"
    )


def _left_out(few: Mapping[str, int], analysis: Analysis) -> Iterator[str]:
    for rule, n in few.items():
        yield (
            f"rule {rule!r} is left out: {n} of its subjects remain, and {analysis.needed} are "
            "needed"
        )


def _is_measured(features: xr.Dataset, observable: str) -> bool:
    """Return whether an observable has a value at a visit after the first, if there are several.

    Theory is made of changes alone, so that one visit does not measure it.
    """
    if observable == THEORY and features.sizes["visit"] < 2:
        return False
    chosen = places_of(features, "change_observable", observable)
    later = slice(1, None) if features.sizes["visit"] > 1 else slice(None)
    values = features["change"].isel(change_name=chosen, visit=later).to_numpy()
    return bool(np.isfinite(values).any())


def _warnings(features: xr.Dataset, analysis: Analysis, measured: Sequence[str]) -> Iterator[str]:
    absent = [name for name in analysis.observables if name not in measured]
    if absent:
        yield f"not measured by this probe: {', '.join(absent)}"
    if not has_visit_0(features):
        yield "visit 0 is not recorded, so differences before learning cannot be excluded"
    for split in analysis.held_out if analysis.scheme == "strict" else ():
        if fault := splits.check(features, split, analysis.inner_folds):
            yield f"{split} is not held out: {fault.rstrip('.')}"
    if analysis.references:
        few = splits.without_halves(
            splits.kinds_of(features), features[RULE].to_numpy(), pairs_of(features)
        )
        if few:
            yield (
                f"without references, since a rule has fewer than two subjects or pairs: "
                f"{', '.join(few)}"
            )
    if features.sizes["visit"] < 2:
        yield "one visit only: there are no changes from which to identify a rule"
    if analysis.scheme == "published" and analysis.grid == "quick":
        yield "settings were chosen from a quick grid, not from the published one"
