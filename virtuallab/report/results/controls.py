"""What came of the controls of one result, and what each of them means in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import xarray as xr

from virtuallab.registry import CONTROLS
from virtuallab.report.results.estimate import Estimate, estimate, number_of
from virtuallab.report.style import pretty
from virtuallab.vocabulary import CONTROL

# Controls that stand beside each accuracy in a table; the others have a table of their own.
BESIDE: Final = ("visit_0", "signal_removed", "permuted_labels")

_MUST: Final = {"chance": "at chance", "beat": "beaten", "survive": "above chance"}


@dataclass(frozen=True)
class Control:
    """What came of one control of one result.

    Parameters
    ----------
    name : str
    kind : str
        ``chance``: its own accuracy must be at chance; ``beat``: the recording must tell more;
        ``survive``: the recording must still tell the rules in subjects that are alike.
    accuracy : Estimate, optional
        None where it was not asked.
    passed : bool, optional
        Corrected for how many controls were asked, where the decoder did that. None where it was
        not asked: nothing is known then.
    note : str
        What must be said with it; why, where it was not asked.
    p_value : float, optional
    n_subjects : int, optional
        Subjects that were left for it.
    """

    name: str
    kind: str = "chance"
    accuracy: Estimate | None = None
    passed: bool | None = None
    note: str = ""
    p_value: float | None = None
    n_subjects: int | None = None

    @property
    def asked(self) -> bool:
        """Whether it was asked at all."""
        return self.passed is not None

    @property
    def failed(self) -> bool:
        """Whether it was asked and did not hold."""
        return self.passed is False

    @property
    def must_be(self) -> str:
        """What its accuracy must be."""
        return _MUST.get(self.kind, self.kind)

    @property
    def asks(self) -> str:
        """What it decodes, in words."""
        return CONTROLS[self.name].decodes if self.name in CONTROLS else pretty(self.name)

    @property
    def meaning(self) -> str:
        """What follows if it fails, in words; nothing where this is not known."""
        if self.name in CONTROLS:
            return str(CONTROLS[self.name].failure)
        if self.kind == "beat":
            return f"{pretty(self.name)} alone tells the rules as well as the recording does"
        if self.kind == "survive":
            return f"the recording does not tell the rules when “{pretty(self.name)}”"
        return ""

    @property
    def outcome(self) -> str:
        """What came of it, in words."""
        if self.asked:
            return "FAILED" if self.failed else "passed"
        return f"not asked: {self.note}" if self.note else "not asked"


def controls_of(cell: xr.Dataset, chance: float) -> dict[str, Control]:
    """Read every control of a result, by name.

    Parameters
    ----------
    cell : xr.Dataset
        One entry of a verdict: ``control_accuracy(control)`` and what belongs to it. Without
        ``control_passed`` a control fails where its whole interval lies above chance.
    chance : float
    """
    if "control_accuracy" not in cell:
        return {}
    kept = cell[[name for name in cell.data_vars if str(name).startswith("control_")]]
    names = [str(name) for name in kept[CONTROL].to_numpy()]
    return {name: _control(name, kept.sel({CONTROL: name}), chance) for name in names}


def _control(name: str, cell: xr.Dataset, chance: float) -> Control:
    accuracy = estimate(cell, "control_accuracy", "control_interval")
    subjects = number_of(cell, "control_subjects")
    return Control(
        name=name,
        kind=_text(cell, "control_kind") or "chance",
        accuracy=accuracy,
        passed=_passed(cell, accuracy, chance),
        note=_text(cell, "control_note"),
        p_value=number_of(cell, "control_p_value"),
        n_subjects=None if subjects is None else int(subjects),
    )


def _passed(cell: xr.Dataset, accuracy: Estimate | None, chance: float) -> bool | None:
    if "control_passed" in cell:
        passed = number_of(cell, "control_passed")
        return None if passed is None else bool(passed)
    return None if accuracy is None else not accuracy.is_above(chance)


def _text(cell: xr.Dataset, name: str) -> str:
    """Text of a variable; where probes differ in what they have, NaN stands for none."""
    found = cell[name].item() if name in cell else ""
    return found if isinstance(found, str) and found != "nan" else ""
