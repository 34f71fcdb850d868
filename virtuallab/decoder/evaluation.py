"""Evaluation of every observable of one probe by every classifier of an analysis."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.diagnostics.permutation_importance import in_order
from virtuallab.decoder.features.samples import by_subject, has_visit_0
from virtuallab.decoder.schemes import published, splits, strict
from virtuallab.decoder.schemes.cross_validation import no_progress
from virtuallab.decoder.tables import with_corrected_controls
from virtuallab.decoder.task import DecodingTask
from virtuallab.errors import NotAsked
from virtuallab.installed import begin_process
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import RULE, SUBJECT, describe


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
        ``rule``, ``architecture`` and ``depth_group``.
    analysis : Analysis
    seed : int
        Of folds, permutations and classifiers.
    workers : int
        Processes to share the work among; they change nothing but the time.
    subjects : xr.Dataset, optional
        Settings of each subject. Controls read them, decoders do not.
    performance : xr.DataArray, optional
        Validation accuracy, dims (subject, visit). Controls read it, decoders do not.
    noise : xr.Dataset, optional
        Features of the same subjects with the signal removed, for a control. None if the probe has
        no noise.
    step : callable
        Called after each of :func:`n_steps`, in the process that did it: it can be pickled.

    Returns
    -------
    xr.Dataset
        Over ``observable`` and ``classifier``: ``balanced_accuracy`` with its ``interval`` and
        ``confusion`` (true_rule, predicted_rule). In the strict scheme: ``probability`` and
        ``p_value`` (subject, predicted_rule) and ``familiar`` (subject), each by a decoder that was
        not trained on the subject; their reliability: ``reliability_*`` (bin),
        ``calibration_error``, ``brier``, ``coverage``, ``set_size``; ``control_*`` (control),
        ``held_out_*`` (held_out), ``left_out_auroc`` (true_rule). In the published scheme:
        ``optimism`` and ``control_*``. Attributes ``chance``, ``scheme``, ``n_subjects``,
        ``confidence``, ``repeats`` (draws of the folds that accuracies are averaged over),
        ``nominal_coverage``, and ``primary``, the primary comparison as JSON.

    Raises
    ------
    NotAsked
        If fewer than two rules have as many subjects as are needed, or nothing that the analysis
        reads was measured.
    """
    labels = np.array([str(rule) for rule in features[RULE].values])
    other = np.isin(labels, analysis.others)
    outliers = features.isel({SUBJECT: other}).load() if other.any() else None
    few = _too_few(labels, analysis, subjects)
    features = features.isel({SUBJECT: ~other & ~np.isin(labels, list(few))})
    classes = sorted({str(rule) for rule in features[RULE].values})
    if len(classes) < 2:
        raise NotAsked(_too_few_rules(few, analysis))
    measured: list[str] = [name for name in analysis.observables if _is_measured(features, name)]
    if not measured:
        raise NotAsked(f"this probe measured none of what it reads: {_listed(analysis)}")
    loaded = features.load()
    noise = None if noise is None else noise.load()
    samples = {observable: by_subject(loaded, observable) for observable in measured}
    pool = Parallel(
        n_jobs=min(workers, len(measured) * len(analysis.classifiers)), initializer=begin_process
    )
    verdicts = pool(
        delayed(_evaluate)(
            DecodingTask(
                classifier=CLASSIFIERS[name](),
                features=loaded,
                samples=samples[observable],
                observable=observable,
                classes=classes,
                folds=analysis.folds,
                inner_folds=analysis.inner_folds,
                seed=seed,
                permutations=analysis.permutations,
                confidence=analysis.confidence,
                draws=analysis.repeats,
                performance=performance,
                subjects=subjects,
                noise=noise,
            ),
            analysis,
            outliers,
            step,
        )
        for observable in measured
        for name in analysis.classifiers
    )
    width = len(analysis.classifiers)
    rows = [
        xr.concat(
            verdicts[first : first + width],
            dim=_axis("classifier", analysis.classifiers),
            join="outer",
            coords="different",
            compat="equals",
        )
        for first in range(0, len(verdicts), width)
    ]
    # Observables differ in the names of their statistics.
    verdict: xr.Dataset = xr.concat(
        rows, dim=_axis("observable", measured), join="outer", coords="different", compat="equals"
    )
    if "relevance" in verdict:
        verdict = in_order(verdict)
    verdict.attrs = {
        "chance": 1 / len(classes),
        "scheme": analysis.scheme,
        "confidence": analysis.confidence,
        "repeats": analysis.repeats if analysis.scheme == "strict" else 1,
        "nominal_coverage": analysis.coverage,
        "n_subjects": features.sizes["subject"],
        "primary": json.dumps(analysis.primary.named if analysis.primary else {}),
        "warnings": json.dumps(
            [*_left_out(few, analysis), *_warnings(features, analysis, measured)]
        ),
    }
    for name, variable in verdict.variables.items():
        variable.attrs = describe(str(name))
    return with_corrected_controls(verdict)


def n_steps(features: xr.Dataset, analysis: Analysis) -> int:
    """Number of steps of :func:`evaluate`; parameters as there."""
    measured = [name for name in analysis.observables if _is_measured(features, name)]
    each = strict.n_steps(analysis) if analysis.scheme == "strict" else published.STEPS
    return each * len(measured) * len(analysis.classifiers)


def _evaluate(
    task: DecodingTask, analysis: Analysis, outliers: xr.Dataset | None, step: Callable[[], None]
) -> xr.Dataset:
    if analysis.scheme == "strict":
        outside = None if outliers is None else by_subject(outliers, task.observable).values
        return strict.evaluate(task, analysis, outside, step)
    return published.evaluate(task, analysis, step)


def _axis(name: str, values: list[str] | tuple[str, ...]) -> xr.DataArray:
    words = np.array([str(value) for value in values], dtype=object)
    return xr.DataArray(words, dims=name, name=name)


def _too_few(labels: np.ndarray, analysis: Analysis, subjects: xr.Dataset | None) -> dict[str, int]:
    """Rules with fewer subjects than are needed, also those of which none is left."""
    planned = () if subjects is None or RULE not in subjects else subjects[RULE].values
    count = Counter({str(rule): 0 for rule in planned} | Counter(labels.tolist()))
    return {
        rule: n
        for rule, n in sorted(count.items())
        if n < analysis.needed and rule not in analysis.others
    }


def _too_few_rules(few: Mapping[str, int], analysis: Analysis) -> str:
    """Return why fewer than two rules are left, and what to do."""
    found = ", ".join(f"{n} of {rule!r}" for rule, n in few.items()) or "one rule alone"
    remedy = (
        "train more subjects, or lower folds or inner_folds"
        if analysis.scheme == "strict"
        else "train more subjects"
    )
    return (
        f"too few subjects are left of its rules: {found}, where {analysis.needed} of each of two "
        f"rules are needed ({remedy})"
    )


def _left_out(few: Mapping[str, int], analysis: Analysis) -> Iterator[str]:
    for rule, n in few.items():
        yield (
            f"rule {rule!r} is not among those to choose from: {n} of its subjects are left, and "
            f"{analysis.needed} are needed"
        )


def _listed(analysis: Analysis) -> str:
    return ", ".join(analysis.observables)


def _is_measured(features: xr.Dataset, observable: str) -> bool:
    of = features["change_observable"].values == observable
    found = features["change"].values[..., of | (observable == "all")]
    return bool(np.isfinite(found).any())


def _warnings(features: xr.Dataset, analysis: Analysis, measured: list[str]) -> Iterator[str]:
    absent = [name for name in analysis.observables if name not in measured]
    if absent:
        yield f"not measured by this probe: {', '.join(absent)}"
    if not has_visit_0(features):
        yield "visit 0 is not recorded, so nothing says what was there before learning"
    for split in analysis.held_out if analysis.scheme == "strict" else ():
        if fault := splits.check(features, split, analysis.inner_folds):
            yield f"{split} is not held out: {fault.rstrip('.')}"
    if features.sizes["visit"] < 2:
        yield "one visit only: nothing can have changed, so no rule can show"
    if analysis.scheme == "published" and analysis.grid == "quick":
        yield "settings were chosen from a quick grid, not from the published one"
