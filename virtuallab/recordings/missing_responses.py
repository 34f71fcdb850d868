"""Responses that were measured at every visit.

A mean over different units or stimuli at each visit changes for reasons other than learning. So
responses that are missing at one visit are left out at all visits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jaxtyping as jt
import numpy as np

from virtuallab.errors import UserError
from virtuallab.recordings.text import first_few
from virtuallab.text import count_noun


@dataclass(frozen=True)
class CompleteResponses:
    """Stimuli, units and responses that were measured at every visit.

    Parameters
    ----------
    stimuli, units : array of int, (stimulus,) and (unit,)
        Indices of those with at least one response that was measured at every visit.
    observed : array of bool, (stimulus, unit)
        True if the response was measured at every visit.
    counts : dict
        ``missing_responses``, if there are any.
    notes : list of str
        Notes on responses that were left out.
    """

    stimuli: jt.Int[np.ndarray, " stimulus"]
    units: jt.Int[np.ndarray, " unit"]
    observed: jt.Bool[np.ndarray, "stimulus unit"]
    counts: dict[str, Any]
    notes: list[str]


def find_complete(
    responses: jt.Float[np.ndarray, "visit stimulus unit"], source: str
) -> CompleteResponses:
    """Return the responses that were measured at every visit.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
        NaN where a response is missing.
    source : str
        How messages name the recording.

    Raises
    ------
    UserError
        If there are none.
    """
    gone = np.isnan(responses)
    if gone.all():
        raise UserError(
            f"{source}: all responses are missing (NaN). If it holds several subjects, name one "
            "that was recorded here."
        )
    there = ~gone.any(0)
    if not there.any():
        raise UserError(
            f"{source}: {gone.sum()} of {gone.size} responses are missing (NaN), {_where(gone)}: "
            "no unit has a response to the same stimulus at every visit. Leave out the visits at "
            "which most are missing."
        )
    stimuli, units = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    notes, counts = [], {}
    if gone.any():
        counts["missing_responses"] = int(gone.sum())
        notes.append(
            f"{gone.sum()} of {gone.size} responses missing ({_where(gone)}), left out; a response "
            f"missing at one visit is left out at all, which leaves {there.sum() * len(gone)} of "
            f"{gone.size}, of {count_noun(len(units), 'unit')} and "
            f"{len(stimuli)} {'stimulus' if len(stimuli) == 1 else 'stimuli'}."
        )
    return CompleteResponses(stimuli, units, there[np.ix_(stimuli, units)], counts, notes)


def _where(gone: jt.Bool[np.ndarray, "visit stimulus unit"]) -> str:
    """Return the number of units that lack a response, and the visits.

    >>> gone = np.zeros((4, 2, 3), dtype=bool)
    >>> gone[3, :, :2] = True
    >>> _where(gone)
    '2 units at visit 3'
    """
    units = count_noun(int(gone.any((0, 1)).sum()), "unit")
    visits = np.flatnonzero(gone.any((1, 2))).tolist()
    return f"{units} at visit{'' if len(visits) == 1 else 's'} {first_few(visits)}"
