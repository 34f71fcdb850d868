"""Outcomes of the controls of one result, described in the words of the control plug-ins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import xarray as xr

from virtuallab.decoder.equivalence import (
    EQUIVALENCE_MARGIN,
    Comparison,
    compare_accuracies,
)
from virtuallab.registry import CONTROLS
from virtuallab.reporting.results.estimate import Estimate, read_estimate, read_number
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import CONTROL

# Controls with a column in the table of accuracies; the others are in a table of their own.
COLUMNS: Final = ("visit_0", "signal_removed", "permuted_labels")

_MUST: Final = {"chance": "at chance", "beat": "below recording", "survive": "above chance"}
_KINDS: Final = {
    "chance": (
        "A control that must be at chance tests data without information on the rule: if it fails, "
        "the accuracy cannot be trusted."
    ),
    "beat": (
        "A control that must be below the recording tests data known without a recording: if it "
        "fails, these data identify the rule as well (the difference is at most "
        f"{EQUIVALENCE_MARGIN:g}) or better."
    ),
    "survive": (
        "A control that must be above chance tests the recording in comparable subjects: if it "
        f"fails, the accuracy among them is at most {EQUIVALENCE_MARGIN:g} above chance, and a "
        "difference between subjects may explain the accuracy among all."
    ),
}


@dataclass(frozen=True)
class ControlOutcome:
    """Outcome of one control of one result.

    Parameters
    ----------
    name : str
    kind : {"chance", "beat", "survive"}
        The control's own accuracy must be at chance; must be below the recording's; or is the
        recording's own in comparable subjects and must still be above chance.
    accuracy : Estimate, optional
        None if it was not evaluated.
    passed : bool, optional
        Corrected for the number of controls. None if it was not evaluated.
    note : str
        A remark; the reason if it was not evaluated.
    n_subjects : int, optional
        Subjects that were decoded.
    difference : Estimate, optional
        Of ``beat``: accuracy of the recording minus that of the control; of ``survive``: accuracy
        minus chance.
    """

    name: str
    kind: str = "chance"
    accuracy: Estimate | None = None
    passed: bool | None = None
    note: str = ""
    n_subjects: int | None = None
    difference: Estimate | None = None

    @property
    def evaluated(self) -> bool:
        """True if the control could be evaluated."""
        return self.passed is not None

    @property
    def failed(self) -> bool:
        """True if the control was evaluated and failed; not if it is undecided."""
        return self.passed is False and not self.undecided

    @property
    def undecided(self) -> bool:
        """True if too few subjects were decoded to decide whether the control passes."""
        return self.is_limit and not self._comparison.is_no_higher

    @property
    def is_limit(self) -> bool:
        """True for a control that need not be at chance and that failed or is undecided."""
        return self.kind != "chance" and self.passed is False

    @property
    def _comparison(self) -> Comparison:
        found = self.difference
        if found is None:
            return Comparison.UNDECIDED
        return compare_accuracies(found.low, found.high)

    @property
    def must_be(self) -> str:
        """The condition on its accuracy."""
        return _MUST.get(self.kind, self.kind)

    @property
    def decodes(self) -> str:
        """Description of what the control decodes, as part of a sentence."""
        return CONTROLS[self.name].decodes if self.name in CONTROLS else pretty(self.name)

    @property
    def meaning(self) -> str:
        """Consequence of a failure, or what is undecided, as part of a sentence; may be empty."""
        known = self.name in CONTROLS
        if self.kind == "chance":
            return str(CONTROLS[self.name].failure) if known else ""
        if known:
            condition = CONTROLS[self.name].condition
        elif self.kind == "beat":
            condition = f"“{pretty(self.name)}” alone"
        else:
            condition = f"under the control “{pretty(self.name)}”"
        if self.kind == "beat":
            return self._of_baseline(condition)
        if self.undecided:
            return f"whether the rule is identified {condition} is undecided: too few subjects"
        return f"the rule is not identified {condition}"

    def _of_baseline(self, baseline: str) -> str:
        if self.undecided:
            return (
                f"whether the recording is more accurate than {baseline} is undecided: too few "
                "subjects"
            )
        better = "" if self._comparison is Comparison.EQUIVALENT else " or better"
        return (
            f"{baseline} identifies the rule as well as the recording{better} (within "
            f"{EQUIVALENCE_MARGIN:g})"
        )

    @property
    def outcome(self) -> str:
        """Passed, failed or undecided, or the reason why the control was not evaluated."""
        if not self.evaluated:
            return f"not evaluated: {self.note}" if self.note else "not evaluated"
        if self.undecided:
            return "undecided: too few subjects"
        if not self.failed:
            return "passed"
        if self.kind == "chance":
            return "FAILED"
        if self.kind == "survive":
            return f"FAILED: at most {EQUIVALENCE_MARGIN:g} above chance"
        better = "" if self._comparison is Comparison.EQUIVALENT else " or better"
        return f"FAILED: equivalent{better} (within {EQUIVALENCE_MARGIN:g})"

    def passed_above(self, chance: float) -> bool:
        """True for a chance control above chance on its own that passed after correction."""
        above = self.accuracy is not None and self.accuracy.is_above(chance)
        return self.kind == "chance" and self.passed is True and above


def explain_kinds(controls: Iterable[ControlOutcome]) -> str:
    """Sentences on what controls of these kinds test."""
    kinds = {control.kind for control in controls}
    return " ".join(text for kind, text in _KINDS.items() if kind in kinds)


def read_controls(cell: xr.Dataset) -> dict[str, ControlOutcome]:
    """Outcomes of all controls of one probe, observable and classifier, by name."""
    if "control_accuracy" not in cell:
        return {}
    kept = cell[[name for name in cell.data_vars if str(name).startswith("control_")]]
    names = [str(name) for name in kept[CONTROL].to_numpy()]
    return {name: _control(name, kept.sel({CONTROL: name})) for name in names}


def _control(name: str, cell: xr.Dataset) -> ControlOutcome:
    passed, subjects = (read_number(cell, f"control_{name}") for name in ("passed", "subjects"))
    return ControlOutcome(
        name=name,
        kind=_text(cell, "control_kind"),
        accuracy=read_estimate(cell, "control_accuracy", "control_interval"),
        passed=None if passed is None else bool(passed),
        note=_text(cell, "control_note"),
        n_subjects=None if subjects is None else int(subjects),
        difference=_difference(cell),
    )


def _difference(cell: xr.Dataset) -> Estimate | None:
    value = read_number(cell, "control_difference")
    if value is None:
        return None
    bounds = cell["control_difference_interval"]
    return Estimate(value, *(float(bounds.sel(bound=bound)) for bound in ("low", "high")))


def _text(cell: xr.Dataset, name: str) -> str:
    """Text of a variable; NaN, for a probe without the control, is no text."""
    found = cell[name].item() if name in cell else ""
    return found if isinstance(found, str) and found != "nan" else ""
