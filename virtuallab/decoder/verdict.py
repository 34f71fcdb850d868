"""A verdict as labelled arrays: accuracies with intervals, by rule, by control, by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from scipy.stats import norm

from virtuallab.decoder.controls import Check, judged
from virtuallab.decoder.intervals import balanced_accuracy, bonferroni, interval
from virtuallab.vocabulary import describe

BOUNDS = ("low", "high")


def of_confusion(
    confusion: np.ndarray, classes: Sequence[str], confidence: float, *, repeats: int = 1
) -> xr.Dataset:
    """Begin a verdict: the accuracy with its interval, and who was taken for whom."""
    rules = np.array(classes, dtype=object)
    return xr.Dataset(
        {
            "balanced_accuracy": balanced_accuracy(confusion),
            "interval": ("bound", np.array(interval(confusion, confidence, repeats=repeats))),
            "confusion": (("true_rule", "predicted_rule"), confusion),
        },
        coords={
            "bound": np.array(BOUNDS, dtype=object),
            "true_rule": rules,
            "predicted_rule": rules,
        },
    )


def accuracies(dim: str, confusions: Mapping[str, np.ndarray], confidence: float) -> xr.Dataset:
    """Return one accuracy with its interval for each entry of a further axis.

    Each is of one decoder, asked of subjects of which none had a part in training: no folds are
    drawn, and what subjects have in common is that decoder.
    """
    counts = list(confusions.values())
    bounds = [interval(each, confidence, repeats=None) for each in counts]
    return xr.Dataset(
        {
            f"{dim}_accuracy": (dim, np.array([balanced_accuracy(each) for each in counts])),
            f"{dim}_interval": ((dim, "bound"), np.array(bounds)),
        },
        coords={dim: np.array(list(confusions), dtype=object)},
    )


def of_checks(checks: Sequence[Check]) -> xr.Dataset:
    """Lay controls out along their axis; what was not asked is NaN, and its note says why."""

    def texts(values: Sequence[str]) -> tuple[str, np.ndarray]:
        return "control", np.array(values, dtype=object)

    passed = [float(each.passed) if each.asked else np.nan for each in checks]
    return xr.Dataset(
        {
            "control_accuracy": ("control", np.array([each.accuracy for each in checks])),
            "control_interval": (
                ("control", "bound"),
                np.array([[each.low, each.high] for each in checks]),
            ),
            "control_passed": ("control", np.array(passed)),
            "control_p_value": ("control", np.array([each.p_value for each in checks])),
            "control_subjects": ("control", np.array([float(each.n_subjects) for each in checks])),
            "control_note": texts([each.note for each in checks]),
            "control_kind": texts([each.kind for each in checks]),
        },
        coords={"control": np.array([each.name for each in checks], dtype=object)},
    )


def with_simultaneous(verdict: xr.Dataset) -> xr.Dataset:
    """Add the intervals that hold for all results of a table at once: ``simultaneous_interval``.

    The best of several accuracies is high by luck as well. Its interval is that of a confidence
    of which Bonferroni's correction takes the share of all results measured, so that all of them
    hold together with the confidence of one.

    Parameters
    ----------
    verdict : xr.Dataset
        Of one analysis, with the attributes ``confidence``, ``scheme`` and, where the folds were
        drawn more than once, ``repeats``; over any axes.
    """
    accuracy = verdict["balanced_accuracy"]
    count = int(accuracy.notnull().sum())
    bounds = verdict["interval"].transpose(*accuracy.dims, "bound")
    found = bounds.to_numpy().copy()
    if count > 1:
        confidence = float(verdict.attrs["confidence"])
        severe = bonferroni(confidence, count)
        repeats = int(verdict.attrs.get("repeats", 1))
        tables = verdict["confusion"].transpose(*accuracy.dims, "true_rule", "predicted_rule")
        for place in np.ndindex(accuracy.shape):
            value, (low, high) = float(accuracy.values[place]), found[place]
            if not np.isfinite(value):
                continue
            if verdict.attrs["scheme"] == "strict":
                wide = interval(tables.values[place], severe, repeats=repeats)
            else:  # the mean over random splits and standard errors of it
                wider = norm.ppf((1 + severe) / 2) / norm.ppf((1 + confidence) / 2)
                wide = value - wider * (value - low), value + wider * (high - value)
            found[place] = min(low, wide[0]), max(high, wide[1])
    together = bounds.copy(data=found).assign_attrs(describe("simultaneous_interval"))
    return verdict.assign(simultaneous_interval=together)


def judged_together(verdict: xr.Dataset) -> xr.Dataset:
    """Judge the controls of a whole table together, so that luck has one chance and not many.

    Parameters
    ----------
    verdict : xr.Dataset
        Of one analysis, with ``control_accuracy`` and what :func:`of_checks` puts beside it, over
        any further axes.
    """
    if "control_p_value" not in verdict:
        return verdict
    names = ("accuracy", "passed", "p_value", "kind")
    columns = xr.broadcast(*(verdict[f"control_{name}"] for name in names))
    flat = [column.values.ravel() for column in columns]
    checks = [
        Check(
            name="",
            kind="chance" if kind == "chance" else "survive",  # only these are judged together
            accuracy=float(value),
            low=np.nan,
            high=np.nan,
            passed=bool(passed == 1),
            n_subjects=0,
            p_value=float(p),
        )
        for value, passed, p, kind in zip(*flat, strict=True)
    ]
    confidence = float(verdict.attrs["confidence"])
    again = [float(each.passed) if each.asked else np.nan for each in judged(checks, confidence)]
    passed = columns[1].copy(data=np.reshape(again, columns[1].shape))
    return verdict.assign(control_passed=passed)
