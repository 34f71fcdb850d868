"""Conformance check of controls."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any, get_args

import xarray as xr

from virtuallab.decoder.controls.common.control import Control, ControlResult, Kind
from virtuallab.decoder.features.samples import by_layer
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CONTROLS
from virtuallab.testing.planted import planted_task

_REPEATS = 20
_FAILURES = 5  # of 20 at 95 % confidence: more occur in 1 of 300 cases


def check_control(control: str | type[Control] | Control) -> None:
    """Check that a control has its descriptions, is reproducible, and has few false alarms.

    It must return a result under its own name and kind, the same one for the same task, also if
    no setting, learning curve or visit 0 is known. If rules do not differ, a control that must be
    at chance may fail no more often than its confidence allows.

    Parameters
    ----------
    control : str, type or Control
        A registered name, a class, or an instance.

    Raises
    ------
    AssertionError
        If a requirement is not met; the message names it.
    """
    made = _made(control)
    task = _task(made, each=12, apart=2.0, seed=0)
    found = made.evaluate(task)
    _check_result(made, found)
    if made.evaluate(task) != found:
        _fail(made, "gives another result for the same task; draw from task.seed")
    bare = xr.Dataset(coords={"subject": task.features["subject"], "rule": task.features["rule"]})
    if made.scheme == "strict":
        without = replace(task, features=bare, subjects=None, performance=None, noise=None)
        try:
            _check_result(made, made.evaluate(without))
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            _fail(
                made,
                f"raises {type(error).__name__} if nothing is known of the subjects; return "
                f"self.not_evaluated(task, reason): {error}",
            )
    if made.kind == "chance":
        nothing = [_task(made, each=12, apart=0.0, seed=seed) for seed in range(_REPEATS)]
        failed = sum(each.evaluated and not each.passed for each in map(made.evaluate, nothing))
        if failed > _FAILURES:
            _fail(made, f"fails in {failed} of {_REPEATS} tasks in which rules do not differ")


def _made(control: str | type[Control] | Control) -> Control:
    if isinstance(control, str):
        return CONTROLS[control]()  # type: ignore[no-any-return]
    made = control() if inspect.isclass(control) else control
    if not isinstance(made, Control):
        raise AssertionError(f"{type(made).__name__} does not derive from Control")  # noqa: TRY004
    for word in ("name", "kind", "decodes"):
        if not getattr(made, word, ""):
            _fail(made, f"has no {word}")
    if made.kind not in get_args(Kind):
        _fail(made, f"has the kind {made.kind!r}; use one of {', '.join(get_args(Kind))}")
    word = "failure" if made.kind == "chance" else "condition"
    if not getattr(made, word):
        _fail(made, f"is a {made.kind!r} control and has no {word}")
    return made


def _task(control: Control, *, each: int, apart: float, seed: int) -> DecodingTask:
    task = planted_task(each=each, apart=apart, seed=seed)
    if control.scheme == "strict":
        return task
    return replace(task, samples=by_layer(task.features, task.observable))


def _check_result(control: Control, found: Any) -> None:
    if not isinstance(found, ControlResult):
        _fail(control, f"returns {type(found).__name__}, not a ControlResult")
    if (found.name, found.kind) != (control.name, control.kind):
        _fail(control, f"returns the name {found.name!r} and the kind {found.kind!r}")
    if found.evaluated and not (found.low <= found.accuracy <= found.high):
        _fail(control, f"has the accuracy {found.accuracy} outside of its bounds")
    if not found.evaluated and not found.note:
        _fail(control, "is not evaluated and gives no reason")


def _fail(control: Control, what: str) -> None:
    name = getattr(control, "name", type(control).__name__)
    raise AssertionError(f"control {name!r} {what}.")
