"""Checks of a recording's responses; each raises a UserError whose message begins with ``source``.

Refused are copied units, and responses that are empty, not numbers, infinite or out of order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.recordings.text import first_few
from virtuallab.text import count_noun
from virtuallab.vocabulary import STIMULUS, UNIT, VISIT

# Silent units, and sparse ones that fired once or twice, may have equal responses by chance.
_DISTINCT = 4  # fewest different values of a unit's responses for which equality is not by chance


def check_sizes(activity: xr.DataArray, source: str) -> None:
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


def check_numbers(activity: xr.DataArray, source: str) -> None:
    """Refuse responses that are not real numbers."""
    if activity.dtype.kind not in "biuf":
        raise UserError(
            f"{source}: activity has to be numbers, found {activity.dtype}. Store responses as "
            "numbers, such as rates."
        )


def check_unit_names(units: Sequence[str], source: str) -> None:
    """Refuse two units of one name."""
    twice = [name for name, count in Counter(units).items() if count > 1]
    if twice:
        raise UserError(
            f"{source}: {len(twice)} names in unit stand for several units: {first_few(twice)}. "
            "Give each unit a name of its own, and put its layer into layer(unit)."
        )


def check_finite(
    presented: jt.Float[np.ndarray, "visit stimulus trial unit"], units: Sequence[str], source: str
) -> None:
    """Refuse responses that are infinite in single precision, in which recordings are kept."""
    with np.errstate(over="ignore"):
        infinite = np.isinf(presented.astype(np.float32)).max(2, initial=False)
    if infinite.any():
        who = [units[place] for place in np.flatnonzero(infinite.any((0, 1))).tolist()]
        when = np.flatnonzero(infinite.any((1, 2))).tolist()
        count = int(infinite.sum())
        raise UserError(
            f"{source}: {count_noun(count, 'response')} {'is' if count == 1 else 'are'} infinite, "
            f"or too large for single precision, in {UNIT} {first_few(who)}, at {VISIT} "
            f"{first_few(when)} (counted from 0). Look for a division by zero."
        )


def check_ascending(
    name: str, values: jt.Shaped[np.ndarray, " visit"] | None, source: str, scale: str = ""
) -> None:
    """Refuse visits that do not ascend in a coordinate of numbers or times."""
    if values is None or values.dtype.kind not in "iufMm":
        return
    wrong = np.flatnonzero(~(values[1:] > values[:-1]))
    if len(wrong):
        place = int(wrong[0])
        raise UserError(
            f"{source}: visits must ascend in {name}, found {values[place + 1]} after "
            f"{values[place]}{scale}. Sort them: recording.sortby({name!r})."
        )


def check_copies(
    responses: jt.Float[np.ndarray, "visit stimulus unit"], units: Sequence[str], source: str
) -> None:
    """Refuse units of which every response equals that of another unit."""
    first: dict[bytes, str] = {}
    copies = []
    for name, own in zip(units, np.moveaxis(responses, -1, 0) + 0.0, strict=True):  # no -0
        of = first.setdefault(own.tobytes(), name)
        if of != name and len(np.unique(own)) >= _DISTINCT:
            copies.append(f"{name} as {of}")
    if copies:
        respond = "responds" if len(copies) == 1 else "respond"
        raise UserError(
            f"{source}: {count_noun(len(copies), 'unit')} {respond} exactly as another does: "
            f"{first_few(copies)}. Leave the copies out: they would count as evidence twice."
        )
