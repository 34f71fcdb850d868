"""Controls, which test what else could explain an accuracy.

A ``chance`` control must be at chance, a ``beat`` control must be worse than the recording, and in
a ``survive`` control the recording must still be above chance in comparable subjects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.schemes.cross_validation import no_progress
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS

# Evaluated for every design that is compared.
OF_DESIGNS: Final = ("visit_0", "signal_removed", "permuted_labels")
# Independent of the scheme, since they do not compare with the recording's accuracy.
OF_THE_DATA: Final = ("visit_0", "signal_removed", "metadata", "schedule")


def strict_controls() -> tuple[str, ...]:
    """Names of the controls of the strict scheme, in the order of reports."""
    found = [name for name in CONTROLS if CONTROLS[name].scheme == "strict"]
    return tuple(sorted(found, key=lambda name: (CONTROLS[name].rank, name)))


def evaluate_controls(
    task: DecodingTask, names: Sequence[str] | None = None, step: Callable[[], None] = no_progress
) -> list[ControlResult]:
    """Results of controls of the strict scheme (all by default), not corrected for multiple tests.

    ``step`` is called after each control.
    """
    names = strict_controls() if names is None else names
    if any(CONTROLS[name].kind != "chance" for name in names):
        task = task.with_result()  # others compare with the recording's own accuracy
    found = []
    for name in names:
        found.append(CONTROLS[name]().evaluate(task))
        step()
    return found
