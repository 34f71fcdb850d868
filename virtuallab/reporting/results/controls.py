"""Outcomes of the controls of one result. Their words are those of the control plug-ins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import xarray as xr

from virtuallab.registry import CONTROLS
from virtuallab.reporting.results.estimate import Estimate, read_estimate, read_number
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import CONTROL

# Controls that stand beside each accuracy in a table; the others have a table of their own.
BESIDE: Final = ("visit_0", "signal_removed", "permuted_labels")

_MUST: Final = {"chance": "at chance", "beat": "beaten", "survive": "above chance"}


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
    """

    name: str
    kind: str = "chance"
    accuracy: Estimate | None = None
    passed: bool | None = None
    note: str = ""
    n_subjects: int | None = None

    @property
    def asked(self) -> bool:
        """Whether it was evaluated."""
        return self.passed is not None

    @property
    def failed(self) -> bool:
        """Whether it was evaluated and failed."""
        return self.passed is False

    @property
    def must_be(self) -> str:
        """The condition on its accuracy."""
        return _MUST.get(self.kind, self.kind)

    @property
    def decodes(self) -> str:
        """The data that it decodes, in words."""
        return CONTROLS[self.name].decodes if self.name in CONTROLS else pretty(self.name)

    @property
    def meaning(self) -> str:
        """What follows if it fails, in words; empty if this is not known."""
        if self.name in CONTROLS:
            return str(CONTROLS[self.name].failure)
        if self.kind == "beat":
            return f"{pretty(self.name)} alone tells the rules as well as the recording does"
        if self.kind == "survive":
            return f"the recording does not tell the rules when “{pretty(self.name)}”"
        return ""

    @property
    def outcome(self) -> str:
        """Passed, failed or the reason why it was not evaluated."""
        if self.asked:
            return "FAILED" if self.failed else "passed"
        return f"not asked: {self.note}" if self.note else "not asked"

    def passed_above(self, chance: float) -> bool:
        """Whether it must be at chance, lies above and passed, since many were judged together."""
        above = self.accuracy is not None and self.accuracy.is_above(chance)
        return self.kind == "chance" and self.passed is True and above


def read_controls(cell: xr.Dataset) -> dict[str, ControlOutcome]:
    """Outcomes of all controls of a result, by name.

    Parameters
    ----------
    cell : xr.Dataset
        The results of one probe, observable and classifier: ``control_accuracy(control)`` and
        others.
    """
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
    )


def _text(cell: xr.Dataset, name: str) -> str:
    """Text of a variable; where probes differ in what they have, NaN stands for none."""
    found = cell[name].item() if name in cell else ""
    return found if isinstance(found, str) and found != "nan" else ""
