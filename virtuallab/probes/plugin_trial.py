"""Trial of a design's noise model, indicator and statistics on small arrays.

A plug-in that raises, or returns an array of another shape, would otherwise stop a run when the
first subject is recorded, after all subjects were trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from virtuallab.errors import UnknownName
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.registry import STATISTICS
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, WEIGHTS, Observable

SHAPES: Final[dict[Observable, tuple[int, ...]]] = {
    ACTIVITY: (3, 4, 5),  # visit, stimulus, unit
    WEIGHTS: (3, 6),
    ACTIVITY_CHANGE: (3, 4),
}


def plugin_problems(probe: ResolvedProbe) -> Iterator[tuple[str, str]]:
    """Setting and message of each plug-in that cannot be used in this design."""
    stream = np.random.default_rng(0)
    if _is_from_outside(probe.noise) and probe.noise.is_present:
        for shape in (SHAPES[ACTIVITY], SHAPES[WEIGHTS]):
            message = _trial("sample", partial(probe.noise.sample, shape, stream), shape)
            if message:
                yield "noise", f"noise model {probe.noise.name!r}: {message}"
                break
    if probe.calcium is not None and _is_from_outside(probe.calcium):
        shape = SHAPES[ACTIVITY]
        responses = stream.random(shape, dtype=np.float32)
        message = _trial("fluorescence", partial(probe.calcium.fluorescence, responses), shape)
        if message:
            yield "calcium", f"indicator {probe.calcium.name!r}: {message}"
    yield from _statistic_problems(probe)


def _statistic_problems(probe: ResolvedProbe) -> Iterator[tuple[str, str]]:
    if not probe.statistics:
        return
    # Imported here: they need numpy, without which other protocols are checked.
    from virtuallab.probes.statistics.features import change_names, theory_names
    from virtuallab.probes.statistics.published import PUBLISHED_STATISTICS

    for place, name in enumerate(probe.statistics):
        at = f"statistics[{place}]"
        try:
            statistic = STATISTICS[name]()
        except UnknownName as error:
            yield at, str(error)
            continue
        if name in probe.statistics[:place]:
            yield at, f"statistic {name!r} is named twice. Name each statistic once."
        elif name in (*PUBLISHED_STATISTICS, *change_names(), *theory_names()):
            yield at, f"every recording has a statistic {name!r} already. Rename this one."
        elif statistic.observable not in probe.observables:
            yield at, f"applies to {statistic.observable!r}, which this probe does not measure."
        elif statistic.follows_units and probe.losing:
            share = getattr(probe, probe.losing)
            yield at, f"{name!r} follows units, and a {probe.losing} of {share:g} replaces them."
        elif _is_from_outside(statistic):
            shape = SHAPES[statistic.observable]
            values = np.random.default_rng(0).random(shape)
            labels = None if statistic.observable == WEIGHTS else np.arange(shape[1]) % 2
            message = _trial("compute", partial(statistic.compute, values, labels), shape[:1])
            if message:
                yield at, f"statistic {name!r}: {message}"


def _is_from_outside(plugin: Any) -> bool:
    return not type(plugin).__module__.startswith("virtuallab.")


def _trial(method: str, call: Callable[[], Any], shape: tuple[int, ...]) -> str:
    """Why the method of a plug-in cannot be used; empty if it returns this shape."""
    try:
        found = np.asarray(call())
    except Exception as error:
        return f"{method} raises {type(error).__name__}: {error}"
    if found.shape != shape:
        return f"{method} returns the shape {found.shape} in place of {shape}."
    if found.dtype.kind not in "fiu":
        return f"{method} returns {found.dtype}, not numbers."
    return ""
