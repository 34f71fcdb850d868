"""Leave out responses that were not measured at every visit.

A mean over other units, or other stimuli, at each visit changes for reasons other than learning. So
what is missing at one visit is left out at all of them.
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
    """What was measured at every visit.

    Parameters
    ----------
    stimuli, units : array of int
        Those of which at least one response was measured at every visit.
    observed : array of bool, (stimulus, unit)
        Of these stimuli and units, whether the response was measured at every visit.
    counts : dict
        ``missing_responses``, if there are any.
    notes : list of str
        What was left out, in words.
    """

    stimuli: jt.Int[np.ndarray, " stimulus"]
    units: jt.Int[np.ndarray, " unit"]
    observed: jt.Bool[np.ndarray, "stimulus unit"]
    counts: dict[str, Any]
    notes: list[str]


def find_complete(
    responses: jt.Float[np.ndarray, "visit stimulus unit"], source: str
) -> CompleteResponses:
    """Find what was measured at every visit.

    Parameters
    ----------
    responses : array, (visit, stimulus, unit)
        NaN where a response is missing.
    source : str
        How messages name the recording.

    Raises
    ------
    UserError
        If no response was.
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
    """Return how many units lack a response, and at which visits.

    >>> gone = np.zeros((4, 2, 3), dtype=bool)
    >>> gone[3, :, :2] = True
    >>> _where(gone)
    '2 units at visit 3'
    """
    units = count_noun(int(gone.any((0, 1)).sum()), "unit")
    visits = np.flatnonzero(gone.any((1, 2))).tolist()
    return f"{units} at visit{'' if len(visits) == 1 else 's'} {first_few(visits)}"
