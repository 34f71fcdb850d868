"""Calibration, coverage of prediction sets and detection of left-out rules, for one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.labels import label_text
from virtuallab.reporting.results.estimate import read_number
from virtuallab.reporting.style import pretty
from virtuallab.text import percent


@dataclass(frozen=True)
class CalibrationResult:
    """Reliability diagram, calibration error and Brier score.

    Parameters
    ----------
    stated, observed : tuple of float
        For each bin, the mean probability of the most probable rule, and the accuracy.
    count : tuple of int
        Subjects in each bin.
    error : float
        Expected calibration error.
    least_error : float, optional
        The error that exact probabilities would have with as many subjects.
    brier : float, optional
        Brier score.
    """

    stated: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]
    error: float
    least_error: float | None = None
    brier: float | None = None

    def __str__(self) -> str:
        least = self.least_error
        exact = "" if least is None else f" (expected of exact probabilities: {least:.2f})"
        return f"{self.error:.2f}{exact}"


@dataclass(frozen=True)
class CoverageResult:
    """Coverage of prediction sets.

    Parameters
    ----------
    share : float
        Share of subjects whose prediction set contains the true rule.
    set_size : float, optional
        Mean number of rules in a set.
    nominal : float, optional
        Nominal coverage.
    empty : float, optional
        Share of subjects whose set is empty.
    """

    share: float
    set_size: float | None = None
    nominal: float | None = None
    empty: float | None = None

    def __str__(self) -> str:
        nominal = "" if self.nominal is None else f"{percent(self.nominal, 0)} "
        size = "" if self.set_size is None else f"; mean size {self.set_size:.1f} rules"
        covered = percent(self.share, 0)
        empty = "" if self.empty is None else f"; empty for {percent(self.empty, 0)} of subjects"
        return (
            f"{nominal}prediction sets contain the true rule in {covered} of subjects{size}{empty}"
        )


def read_calibration(cell: xr.Dataset) -> CalibrationResult | None:
    """Calibration of one probe, observable and classifier; None if not measured."""
    error = read_number(cell, "calibration_error")
    if error is None or "reliability_stated" not in cell:
        return None
    of_bins = [cell[f"reliability_{name}"].to_numpy() for name in ("stated", "observed", "count")]
    # Bins that other results have and this one lacks are NaN.
    filled = np.isfinite(np.array(of_bins, dtype=float)).all(0) & (of_bins[2] > 0)
    stated, observed, count = (values[filled] for values in of_bins)
    return CalibrationResult(
        stated=tuple(map(float, stated)),
        observed=tuple(map(float, observed)),
        count=tuple(map(int, count)),
        error=error,
        least_error=read_number(cell, "calibration_error_least"),
        brier=read_number(cell, "brier"),
    )


def read_coverage(cell: xr.Dataset) -> CoverageResult | None:
    """Coverage of the prediction sets of a result; None if not measured."""
    share = read_number(cell, "coverage")
    if share is None:
        return None
    nominal = cell.attrs.get("nominal_coverage")
    nominal = None if nominal is None else float(nominal)
    return CoverageResult(
        share, read_number(cell, "set_size"), nominal, read_number(cell, "empty_sets")
    )


def read_left_out(cell: xr.Dataset) -> dict[str, float]:
    """Area under the ROC curve for detecting each rule that was left out of training."""
    if "left_out_auroc" not in cell:
        return {}
    areas = zip(label_text(cell["true_rule"]), cell["left_out_auroc"].to_numpy(), strict=True)
    return {str(rule): float(area) for rule, area in areas if np.isfinite(area)}


def certainty(
    calibration: CalibrationResult | None,
    coverage: CoverageResult | None,
    left_out: Mapping[str, float],
) -> list[str]:
    """Sentences on calibration, coverage and left-out rules, with what each number means."""
    said = []
    if calibration is not None:
        said.append(
            f"Calibration error {calibration}: the mean difference between the probability of the "
            "most probable rule and how often that rule is correct; 0 is best."
        )
    if coverage is not None:
        said.append(f"Prediction sets list the rules that cannot be excluded. The {coverage}.")
    if left_out:
        worst = min(left_out, key=lambda rule: left_out[rule])
        said.append(
            "Subjects of a rule that was left out of training are detected as unknown with AUROC "
            f"{np.mean(list(left_out.values())):.2f}, at worst {left_out[worst]:.2f} "
            f"({pretty(worst)}); 0.5 is guessing, 1 is perfect."
        )
    return said
