"""Results as labelled arrays: accuracies with intervals, by rule, by control and by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from scipy.stats import norm

from virtuallab.decoder.controls.common.chance import holm
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.schemes.cross_validation import HeldOutGroup
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, bonferroni, interval
from virtuallab.vocabulary import describe

BOUNDS = ("low", "high")


def accuracy_table(
    confusion: np.ndarray,
    classes: Sequence[str],
    confidence: float,
    *,
    repeats: int | None = 1,
    effect: float = 1.0,
) -> xr.Dataset:
    """Balanced accuracy with its interval, and the confusion matrix."""
    bounds = interval(confusion, confidence, repeats=repeats, effect=effect)
    rules = np.array(classes, dtype=object)
    return xr.Dataset(
        {
            "balanced_accuracy": balanced_accuracy(confusion),
            "interval": ("bound", np.array(bounds)),
            "confusion": (("true_rule", "predicted_rule"), confusion),
        },
        coords={
            "bound": np.array(BOUNDS, dtype=object),
            "true_rule": rules,
            "predicted_rule": rules,
        },
    )


def held_out_table(groups: Mapping[str, HeldOutGroup], confidence: float) -> xr.Dataset:
    """Balanced accuracy with its interval for each group that was held out of training."""
    bounds = [
        interval(each.confusion, confidence, repeats=None, effect=each.pair_effect)
        for each in groups.values()
    ]
    accuracies = [balanced_accuracy(each.confusion) for each in groups.values()]
    return xr.Dataset(
        {
            "held_out_accuracy": ("held_out", np.array(accuracies)),
            "held_out_interval": (("held_out", "bound"), np.array(bounds)),
        },
        coords={"held_out": np.array(list(groups), dtype=object)},
    )


def referenced_table(
    groups: Mapping[tuple[str, str], HeldOutGroup], confidence: float
) -> xr.Dataset:
    """As :func:`held_out_table`, for each choice of references of a group of kinds.

    Parameters
    ----------
    groups : mapping from (choice, group) to HeldOutGroup
        NaN where a group has no result with a choice.
    confidence : float
    """
    choices = dict.fromkeys(choice for choice, _ in groups)
    tables = [
        held_out_table({group: r for (c, group), r in groups.items() if c == choice}, confidence)
        for choice in choices
    ]
    names = xr.DataArray(np.array(list(choices), dtype=object), dims="reference", name="reference")
    joined = xr.concat(tables, dim=names, join="outer")
    return joined.rename(
        held_out_accuracy="referenced_accuracy",
        held_out_interval="referenced_interval",
        held_out="held_out_kind",
    )


def control_table(results: Sequence[ControlResult]) -> xr.Dataset:
    """Results along the axis ``control``; NaN for controls that were not evaluated."""
    passed = [float(each.passed) if each.evaluated else np.nan for each in results]
    columns = {
        "accuracy": [each.accuracy for each in results],
        "passed": passed,
        "p_value": [each.p_value for each in results],
        "subjects": [float(each.n_subjects) for each in results],
        "note": np.array([each.note for each in results], dtype=object),
        "kind": np.array([each.kind for each in results], dtype=object),
    }
    bounds = np.array([[each.low, each.high] for each in results])
    differences = np.array([each.difference or (np.nan,) * 3 for each in results])
    return xr.Dataset(
        {
            **{f"control_{name}": ("control", np.array(v)) for name, v in columns.items()},
            "control_interval": (("control", "bound"), bounds),
            "control_difference": ("control", differences[:, 0]),
            "control_difference_interval": (("control", "bound"), differences[:, 1:]),
        },
        coords={"control": np.array([each.name for each in results], dtype=object)},
    )


def with_simultaneous(verdict: xr.Dataset) -> xr.Dataset:
    """Table with ``simultaneous_interval``, which holds for all its accuracies at once.

    The largest of several accuracies is biased upwards. The confidence of each interval is
    corrected for the number of results by Bonferroni's method.

    Parameters
    ----------
    verdict : xr.Dataset
        Of one analysis, over any axes, with the attributes ``confidence``, ``scheme`` and, if the
        folds were drawn more than once, ``repeats``; in a paired design, with ``pair_effect``.
    """
    accuracy = verdict["balanced_accuracy"]
    count = int(accuracy.notnull().sum())
    bounds = verdict["interval"].transpose(*accuracy.dims, "bound")
    found = bounds.to_numpy().copy()
    if count > 1:
        confidence = float(verdict.attrs["confidence"])
        strict = bonferroni(confidence, count)
        repeats = int(verdict.attrs.get("repeats", 1))
        tables = verdict["confusion"].transpose(*accuracy.dims, "true_rule", "predicted_rule")
        effects = np.ones(accuracy.shape)
        if "pair_effect" in verdict:
            effects = verdict["pair_effect"].transpose(*accuracy.dims).to_numpy()
        for place in np.ndindex(accuracy.shape):
            value, (low, high) = float(accuracy.values[place]), found[place]
            if not np.isfinite(value):
                continue
            if verdict.attrs["scheme"] == "strict":
                wide = interval(
                    tables.values[place], strict, repeats=repeats, effect=float(effects[place])
                )
            else:  # the mean over random splits and its standard errors
                wider = norm.ppf((1 + strict) / 2) / norm.ppf((1 + confidence) / 2)
                wide = value - wider * (value - low), value + wider * (high - value)
            found[place] = min(low, wide[0]), max(high, wide[1])
    together = bounds.copy(data=found).assign_attrs(describe("simultaneous_interval"))
    return verdict.assign(simultaneous_interval=together)


def with_corrected_controls(verdict: xr.Dataset) -> xr.Dataset:
    """Table whose ``chance`` controls are corrected for multiple tests, over all its axes.

    Parameters
    ----------
    verdict : xr.Dataset
        Of one analysis, with the variables of :func:`control_table`, over any further axes.
    """
    if "control_p_value" not in verdict:
        return verdict
    passed, p_value, kind = xr.broadcast(
        *(verdict[f"control_{name}"] for name in ("passed", "p_value", "kind"))
    )
    tested = (kind == "chance").to_numpy() & np.isfinite(passed.to_numpy())
    rejected = holm(p_value.to_numpy()[tested], float(verdict.attrs["confidence"]))
    values = passed.to_numpy().copy()
    values[tested] = ~rejected
    return verdict.assign(control_passed=passed.copy(data=values))
