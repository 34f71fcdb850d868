"""How far a decoder's own doubt can be believed: its probabilities, its sets, its rejections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab.labels import words
from virtuallab.report.results.estimate import number_of
from virtuallab.report.style import pretty


@dataclass(frozen=True)
class Calibration:
    """How often verdicts came true, by how sure they were.

    Parameters
    ----------
    stated, observed : tuple of float
        For each bin the mean probability of the rule that was named, and the share that were right.
    count : tuple of int
        Subjects in each bin.
    error : float
        Expected calibration error.
    least_error : float, optional
        What exact probabilities would give, with so few subjects.
    brier : float, optional
    """

    stated: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int, ...]
    error: float
    least_error: float | None = None
    brier: float | None = None

    def __str__(self) -> str:
        least = self.least_error
        exact = "" if least is None else f" (exact probabilities would give {least:.2f})"
        return f"{self.error:.2f}{exact}"


@dataclass(frozen=True)
class Coverage:
    """How often the true rule is among those that were not excluded.

    Parameters
    ----------
    share : float
        Of subjects.
    set_size : float, optional
        Mean number of rules that were not excluded.
    nominal : float, optional
        The share that was asked for.
    """

    share: float
    set_size: float | None = None
    nominal: float | None = None

    def __str__(self) -> str:
        asked = "" if self.nominal is None else f"{_percent(self.nominal)} "
        held = f"{asked}prediction sets hold the true rule for {_percent(self.share)} of subjects"
        if self.set_size is None:
            return held
        return f"{held} (on average {self.set_size:.1f} rules in a set)"


def calibration_of(cell: xr.Dataset) -> Calibration | None:
    """Read the calibration of a result; None where it was not measured.

    Parameters
    ----------
    cell : xr.Dataset
        One entry of a verdict: ``reliability_stated(bin)`` and what belongs to it.
    """
    error = number_of(cell, "calibration_error")
    if error is None or "reliability_stated" not in cell:
        return None
    of_bins = [cell[f"reliability_{name}"].to_numpy() for name in ("stated", "observed", "count")]
    # Results with fewer bins than others are filled up.
    filled = np.isfinite(np.array(of_bins, dtype=float)).all(0) & (of_bins[2] > 0)
    stated, observed, count = (values[filled] for values in of_bins)
    return Calibration(
        stated=tuple(map(float, stated)),
        observed=tuple(map(float, observed)),
        count=tuple(map(int, count)),
        error=error,
        least_error=number_of(cell, "calibration_error_least"),
        brier=number_of(cell, "brier"),
    )


def coverage_of(cell: xr.Dataset) -> Coverage | None:
    """Read the coverage of a result; None where it was not measured."""
    share = number_of(cell, "coverage")
    if share is None:
        return None
    nominal = cell.attrs.get("nominal_coverage")
    return Coverage(share, number_of(cell, "set_size"), None if nominal is None else float(nominal))


def left_out_of(cell: xr.Dataset) -> dict[str, float]:
    """Read how well each rule, left out of training, is told from those that are known."""
    if "left_out_auroc" not in cell:
        return {}
    areas = cell["left_out_auroc"].to_numpy()
    rules = words(cell["true_rule"])
    return {
        str(rule): float(area) for rule, area in zip(rules, areas, strict=True) if np.isfinite(area)
    }


def told_of_left_out(left_out: Mapping[str, float]) -> str:
    """Say the mean and the worst area under the curve of rules left out."""
    worst = min(left_out, key=lambda rule: left_out[rule])
    mean = float(np.mean(list(left_out.values())))
    return f"AUROC {mean:.2f}, at worst {left_out[worst]:.2f} ({pretty(worst)})"


def certainty(
    calibration: Calibration | None, coverage: Coverage | None, left_out: Mapping[str, float]
) -> str:
    """Say all of it in one line; nothing where nothing was measured."""
    parts = []
    if calibration is not None:
        parts.append(f"calibration error {calibration}")
    if coverage is not None:
        parts.append(str(coverage))
    if left_out:
        told = told_of_left_out(left_out)
        parts.append(f"a rule left out is told as none of these with {told}")
    return "; ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"
