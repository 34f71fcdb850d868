"""One subject of a recording, at the visits of a plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from virtuallab.accessor.selection import select
from virtuallab.accessor.variables import responses, strings
from virtuallab.errors import UserError
from virtuallab.vocabulary import ACTIVITY, RULE, STIMULUS, SUBJECT, UNIT, VISIT


def one_subject(recording: xr.Dataset, name: str | None) -> xr.Dataset:
    """Return a subject, the first that was recorded unless named, without the axis of subjects.

    Raises a UserError if there is no such subject, or nothing was recorded of it.
    """
    if name is not None:
        recording = select(recording, subject=name)
    activity = responses(recording)
    if SUBJECT not in activity.dims:
        if np.isfinite(activity.to_numpy()).any():
            return recording
    else:
        for place in range(recording.sizes[SUBJECT]):
            if np.isfinite(activity.isel({SUBJECT: place}).to_numpy()).any():
                return recording.isel({SUBJECT: place})
    raise UserError(
        f"nothing was recorded of {name or 'any subject'}: no response is a finite number. It may "
        "have diverged, be pending, or be of another architecture."
    )


def visits_of(
    one: xr.Dataset, visits: int | Sequence[int] | None, default: Sequence[int] = (0, -1)
) -> xr.Dataset:
    """Return some visits, with an axis of visits also if there was none.

    Parameters
    ----------
    one : xr.Dataset
    visits : int or sequence of int, optional
        Their numbers.
    default : sequence of int
        Places of the visits to keep if none are named.
    """
    activity = responses(one)
    if VISIT in activity.dims and VISIT not in one.coords:
        one = one.assign_coords({VISIT: np.arange(one.sizes[VISIT])})
    if visits is not None:
        one = select(one, visit=visits)
    elif VISIT in activity.dims:
        places = [place % one.sizes[VISIT] for place in default]
        one = one.isel({VISIT: list(dict.fromkeys(places))})
    if VISIT not in one[ACTIVITY].dims:
        one = one.assign({ACTIVITY: one[ACTIVITY].expand_dims(VISIT)})
    return one


def at_visit(one: xr.Dataset, visit: int | None) -> xr.Dataset:
    """Return one visit, the last unless given; responses are (stimulus, unit).

    Raises a UserError if there is no such visit, or nothing was recorded at it.
    """
    cut = visits_of(one, visit, default=(-1,)).isel({VISIT: 0})
    check_axes(cut, STIMULUS, UNIT)
    if not np.isfinite(cut[ACTIVITY].to_numpy()).any():
        when = describe_visit(cut)
        raise UserError(
            f"no response {when and when + ' '}is a finite number: the subject may have diverged. "
            "Choose an earlier visit."
        )
    return cut


def check_axes(one: xr.Dataset, *dims: str) -> None:
    """Raise a UserError if responses have more axes than a plot."""
    more = [str(dim) for dim in one[ACTIVITY].dims if dim not in dims]
    if more:
        raise UserError(
            f"{ACTIVITY!r} has an axis {more[0]!r} too, which this picture has no place for. "
            "Average over repetitions first: recording.lab.trial_average()."
        )


def describe_subject(one: xr.Dataset) -> list[str]:
    """Return the name, rule and architecture of a subject, as far as they are known."""
    known = [name for name in (SUBJECT, RULE, "architecture") if name in one.coords]
    return [str(strings(one[name])[0]) for name in known]


def describe_visit(one: xr.Dataset) -> str:
    """Return the time of a visit in words; empty if it is not known."""
    if VISIT not in one.coords:
        return ""
    visit = int(one[VISIT])
    if visit == 0:
        return "before learning"
    if "epoch" in one.coords and one["epoch"].ndim == 0:
        return f"after {float(one['epoch']):.3g} epochs"
    return f"at visit {visit}"
