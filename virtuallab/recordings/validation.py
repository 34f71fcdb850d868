"""What no recording may be: empty, missing, infinite, out of order, twice the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.recordings.text import few
from virtuallab.vocabulary import STIMULUS, UNIT, VISIT

# Sparse units that fired once or twice, and silent ones, may well respond alike.
_TELLING = 4  # different values in a unit's responses, from which on it is no chance

Responses = jt.Float[np.ndarray, "visit stimulus unit"]


def of_sizes(activity: xr.DataArray, source: str) -> None:
    """Refuse a recording without units, stimuli or repeats, or of a single visit."""
    for dim, count in activity.sizes.items():
        if not count and dim != VISIT:
            plural = {STIMULUS: "stimuli"}.get(str(dim), f"{dim}s")
            raise UserError(f"{source}: there are no {plural} in it (dim {dim} has size 0).")
    if activity.sizes[VISIT] < 2:
        visits = "one visit shows" if activity.sizes[VISIT] else "no visits show"
        raise UserError(
            f"{source}: {visits} no change; at least two are needed. Put all visits into the file, "
            "along the dim visit (of NWB, one file for each; or say with --visits-from which table "
            "of intervals marks them)."
        )


def of_numbers(activity: xr.DataArray, source: str) -> None:
    """Refuse responses that are not real numbers."""
    if activity.dtype.kind not in "biuf":
        raise UserError(
            f"{source}: activity has to be numbers, found {activity.dtype}. Store responses as "
            "numbers, such as rates."
        )


def of_repeated_units(units: Sequence[str], source: str) -> None:
    """Refuse two units of one name."""
    twice = [name for name, count in Counter(units).items() if count > 1]
    if twice:
        raise UserError(
            f"{source}: {len(twice)} names in unit stand for several units: {few(twice)}. Give "
            "each unit a name of its own, and put its layer into layer(unit)."
        )


def of_infinities(
    presented: jt.Float[np.ndarray, "visit stimulus trial unit"], units: Sequence[str], source: str
) -> None:
    """Refuse what is infinite, also in the single precision in which recordings are kept."""
    with np.errstate(over="ignore"):
        infinite = np.isinf(presented.astype(np.float32)).max(2, initial=False)
    if infinite.any():
        raise UserError(
            f"{source}: {infinite.sum()} responses are infinite, or too large for single "
            f"precision, {_where(infinite, units)}. Look for a division by zero."
        )


def of_order(name: str, values: np.ndarray | None, source: str, scale: str = "") -> None:
    """Refuse visits that are not in the order in which they were made."""
    # Names of visits have no order of their own.
    if values is None or values.dtype.kind not in "iufMm":
        return
    wrong = np.flatnonzero(~(values[1:] > values[:-1]))
    if len(wrong):
        place = int(wrong[0])
        raise UserError(
            f"{source}: visits must ascend in {name}, found {values[place + 1]} after "
            f"{values[place]}{scale}. Sort them: recording.sortby({name!r})."
        )


def of_copies(responses: Responses, units: Sequence[str], source: str) -> None:
    """Refuse units whose every response is that of another unit."""
    first: dict[bytes, str] = {}
    copies = []
    for name, own in zip(units, np.moveaxis(responses, -1, 0) + 0.0, strict=True):  # no -0
        of = first.setdefault(own.tobytes(), name)
        if of != name and len(np.unique(own)) >= _TELLING:
            copies.append(f"{name} as {of}")
    if copies:
        raise UserError(
            f"{source}: {len(copies)} units respond exactly as another does: {few(copies)}. Leave "
            "the copies out: they would count as evidence twice."
        )


def _where(wrong: np.ndarray, units: Sequence[str]) -> str:
    """Name units and visits, (visit, stimulus, unit)."""
    who = [units[place] for place in np.flatnonzero(wrong.any((0, 1))).tolist()]
    when = np.flatnonzero(wrong.any((1, 2))).tolist()
    return f"in {UNIT} {few(who)}, at {VISIT} {few(when)} (counted from 0)"
