"""Ask every classifier about every observable of one probe, and collect the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

from virtuallab.decoder import splits
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.ask_as_published import ask_as_published
from virtuallab.decoder.ask_strictly import ask_strictly
from virtuallab.decoder.controls import Question
from virtuallab.decoder.relevance import regrouped
from virtuallab.decoder.samples import by_subject, knows_visit_0
from virtuallab.decoder.verdict import judged_together
from virtuallab.registry import CLASSIFIERS
from virtuallab.vocabulary import SUBJECT, describe


def identify(
    features: xr.Dataset,
    analysis: Analysis,
    seed: int,
    *,
    workers: int = 1,
    subjects: xr.Dataset | None = None,
    performance: xr.DataArray | None = None,
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
    subjects : xr.Dataset, optional
        What was decided about each subject before it learned. Controls read it, no decoder does.
    performance : xr.DataArray, optional
        Validation accuracy, dims (subject, visit): truth that no probe sees. Controls read it, no
        decoder does.

    Returns
    -------
    xr.Dataset
        Over ``observable`` and ``classifier``: ``balanced_accuracy`` with its ``interval`` and
        ``confusion`` (true_rule, predicted_rule). In the strict scheme: ``probability`` and
        ``p_value`` (subject, predicted_rule) and ``familiar`` (subject), each of a decoder that did
        not know the subject; what came of stating them: ``reliability_*`` (bin),
        ``calibration_error``, ``brier``, ``coverage``, ``set_size``; ``control_*`` (control),
        ``held_out_*`` (held_out), ``left_out_auroc`` (true_rule). In the paper's: ``optimism``
        and ``control_*``. Attributes ``chance``, ``scheme``, ``n_subjects``, ``confidence``,
        ``nominal_coverage``, and ``primary``, what the analysis names as that, as JSON.
    """
    named = ~np.isin([str(rule) for rule in features["rule"].values], analysis.others)
    others = None if named.all() else features.isel({SUBJECT: ~named}).load()
    features = features.isel({SUBJECT: named})
    classes = sorted({str(rule) for rule in features["rule"].values})
    measured: list[str] = [name for name in analysis.observables if _is_measured(features, name)]
    loaded = features.load()
    samples = {observable: by_subject(loaded, observable) for observable in measured}
    answers = Parallel(n_jobs=min(workers, len(measured) * len(analysis.classifiers)))(
        delayed(_ask)(
            Question(
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
                performance=performance,
                subjects=subjects,
            ),
            analysis,
            others,
        )
        for observable in measured
        for name in analysis.classifiers
    )
    width = len(analysis.classifiers)
    rows = [
        xr.concat(
            answers[first : first + width],
            dim=_axis("classifier", analysis.classifiers),
            join="outer",
            coords="different",
            compat="equals",
        )
        for first in range(0, len(answers), width)
    ]
    # What carries the rule has other names in other observables.
    verdict: xr.Dataset = xr.concat(
        rows, dim=_axis("observable", measured), join="outer", coords="different", compat="equals"
    )
    if "relevance" in verdict:
        verdict = regrouped(verdict)
    verdict.attrs = {
        "chance": 1 / len(classes),
        "scheme": analysis.scheme,
        "confidence": analysis.confidence,
        "nominal_coverage": analysis.coverage,
        "n_subjects": features.sizes["subject"],
        "primary": json.dumps(analysis.primary.named if analysis.primary else {}),
        "warnings": json.dumps(list(_warnings(features, analysis, measured))),
    }
    for name, variable in verdict.variables.items():
        variable.attrs = describe(str(name))
    return judged_together(verdict)


def _ask(question: Question, analysis: Analysis, others: xr.Dataset | None) -> xr.Dataset:
    if analysis.scheme == "strict":
        return ask_strictly(question, analysis, others)
    return ask_as_published(question, analysis)


def _axis(name: str, values: list[str] | tuple[str, ...]) -> xr.DataArray:
    words = np.array([str(value) for value in values], dtype=object)
    return xr.DataArray(words, dims=name, name=name)


def _is_measured(features: xr.Dataset, observable: str) -> bool:
    if observable == "all":
        return True
    of = features["change_observable"].values == observable
    return bool(np.isfinite(features["change"].values[..., of]).any())


def _warnings(features: xr.Dataset, analysis: Analysis, measured: list[str]) -> Iterator[str]:
    absent = [name for name in analysis.observables if name not in measured]
    if absent:
        yield f"not measured by this probe: {', '.join(absent)}"
    if not knows_visit_0(features):
        yield "visit 0 is not recorded, so nothing says what was there before learning"
    for split in analysis.held_out if analysis.scheme == "strict" else ():
        if fault := splits.check(features, split):
            yield f"{split} is not held out: {fault.rstrip('.')}"
    if features.sizes["visit"] < 2:
        yield "one visit only: nothing can have changed, so no rule can show"
    if analysis.scheme == "paper" and analysis.grid == "quick":
        yield "settings were chosen from a quick grid, not from the published one"
