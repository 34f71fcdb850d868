"""One subject of a recording, at the visits that a picture shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from virtuallab.accessor import selection as choice
from virtuallab.accessor.variables import responses, words
from virtuallab.errors import UserError
from virtuallab.vocabulary import ACTIVITY, RULE, STIMULUS, SUBJECT, UNIT, VISIT


def one_subject(recording: xr.Dataset, name: str | None) -> xr.Dataset:
    """Pick a subject, the first that was recorded unless named; without the axis of subjects.

    Raises
    ------
    UserError
        If there is no such subject, or nothing was recorded of it.
    """
    if name is not None:
        recording = choice.select(recording, layer=None, depth=None, labels={SUBJECT: name})
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
    """Cut to some visits, with an axis of visits also where there was none.

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
        one = choice.select(one, layer=None, depth=None, labels={VISIT: visits})
    elif VISIT in activity.dims:
        places = [place % one.sizes[VISIT] for place in default]
        one = one.isel({VISIT: list(dict.fromkeys(places))})
    if VISIT not in one[ACTIVITY].dims:
        one = one.assign({ACTIVITY: one[ACTIVITY].expand_dims(VISIT)})
    return one


def at_visit(one: xr.Dataset, visit: int | None) -> xr.Dataset:
    """Cut to one visit, the last unless given; responses are of stimuli and units alone.

    Raises
    ------
    UserError
        If there is no such visit, or nothing was recorded at it.
    """
    cut = visits_of(one, visit, default=(-1,)).isel({VISIT: 0})
    check_plain(cut, STIMULUS, UNIT)
    if not np.isfinite(cut[ACTIVITY].to_numpy()).any():
        when = moment(cut)
        raise UserError(
            f"no response {when and when + ' '}is a finite number: the subject may have diverged. "
            "Choose an earlier visit."
        )
    return cut


def check_plain(one: xr.Dataset, *dims: str) -> None:
    """Refuse responses with more axes than a picture has.

    Raises
    ------
    UserError
    """
    more = [str(dim) for dim in one[ACTIVITY].dims if dim not in dims]
    if more:
        raise UserError(
            f"{ACTIVITY!r} has an axis {more[0]!r} too, which this picture has no place for. "
            "Average over repetitions first: recording.lab.trial_average()."
        )


def who(one: xr.Dataset) -> list[str]:
    """Who a subject is, as far as the recording says: its name, rule and architecture."""
    known = [name for name in (SUBJECT, RULE, "architecture") if name in one.coords]
    return [str(words(one[name])[0]) for name in known]


def moment(one: xr.Dataset) -> str:
    """When a visit was; nothing where the recording does not say."""
    if VISIT not in one.coords:
        return ""
    visit = int(one[VISIT])
    if visit == 0:
        return "before learning"
    if "epoch" in one.coords and one["epoch"].ndim == 0:
        return f"after {float(one['epoch']):.3g} epochs"
    return f"at visit {visit}"
