"""Results as labelled arrays: accuracies with intervals, by rule, by control and by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from scipy.stats import norm

from virtuallab.decoder.controls.common.chance import corrected
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, bonferroni, interval
from virtuallab.vocabulary import describe

BOUNDS = ("low", "high")


def verdict_of(
    confusion: np.ndarray, classes: Sequence[str], confidence: float, *, repeats: int = 1
) -> xr.Dataset:
    """The balanced accuracy with its interval, and the confusion matrix."""
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


def accuracies_of(dim: str, confusions: Mapping[str, np.ndarray], confidence: float) -> xr.Dataset:
    """Balanced accuracies with intervals along a further axis.

    Each confusion matrix is of one decoder, tested on a group that was held out of training: no
    folds are drawn.

    Parameters
    ----------
    dim : str
        Name of the axis; variables are ``{dim}_accuracy`` and ``{dim}_interval``.
    confusions : mapping from label to array, (true, predicted)
    confidence : float
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


def control_table(results: Sequence[ControlResult]) -> xr.Dataset:
    """Results of controls along their axis; NaN where a control was not asked."""

    def texts(values: Sequence[str]) -> tuple[str, np.ndarray]:
        return "control", np.array(values, dtype=object)

    passed = [float(each.passed) if each.asked else np.nan for each in results]
    return xr.Dataset(
        {
            "control_accuracy": ("control", np.array([each.accuracy for each in results])),
            "control_interval": (
                ("control", "bound"),
                np.array([[each.low, each.high] for each in results]),
            ),
            "control_passed": ("control", np.array(passed)),
            "control_p_value": ("control", np.array([each.p_value for each in results])),
            "control_subjects": ("control", np.array([float(each.n_subjects) for each in results])),
            "control_note": texts([each.note for each in results]),
            "control_kind": texts([each.kind for each in results]),
        },
        coords={"control": np.array([each.name for each in results], dtype=object)},
    )


def with_simultaneous(verdict: xr.Dataset) -> xr.Dataset:
    """Add ``simultaneous_interval``, which holds for all accuracies of a table at once.

    The largest of several accuracies is biased upwards. The confidence of each interval is
    corrected for the number of results by Bonferroni's method.

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


def with_corrected_controls(verdict: xr.Dataset) -> xr.Dataset:
    """Correct the controls of a whole table for multiple tests.

    Parameters
    ----------
    verdict : xr.Dataset
        Of one analysis, with ``control_accuracy`` and what :func:`control_table` adds, over
        any further axes.
    """
    if "control_p_value" not in verdict:
        return verdict
    names = ("accuracy", "passed", "p_value", "kind")
    columns = xr.broadcast(*(verdict[f"control_{name}"] for name in names))
    flat = [column.values.ravel() for column in columns]
    results = [
        ControlResult(
            name="",
            kind="chance" if kind == "chance" else "survive",  # only these are corrected
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
    again = [
        float(each.passed) if each.asked else np.nan for each in corrected(results, confidence)
    ]
    passed = columns[1].copy(data=np.reshape(again, columns[1].shape))
    return verdict.assign(control_passed=passed)
