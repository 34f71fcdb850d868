"""Features at equal fractions of each subject's own progress, in the place of training steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.decoder.features.samples import STAGES, Samples, by_subject, mean_of_finite

_STEP: Final = "act_step"  # log of one plus the relative distance from the visit before


def progress(features: xr.Dataset) -> jt.Float[np.ndarray, "subject visit"]:
    """Share of the whole change of the recorded activity that a subject has made at each visit.

    The change is the sum over visits of the distance from the visit before, relative to the norm of
    the activity there, averaged over layers. It needs no labels. A subject that does not change
    makes progress by one share at each visit.
    """
    steps = features["change"].sel(change_name=_STEP).transpose("subject", "visit", "layer")
    each = np.expm1(np.nan_to_num(mean_of_finite(steps.to_numpy(), 2)))
    each[each.sum(1) == 0, 1:] = 1.0
    path = np.cumsum(each, axis=1)
    found: np.ndarray = path / path[:, -1:]
    return found


def aligned(features: xr.Dataset, observable: str) -> Samples:
    """One sample a subject, at seven equal fractions of its progress.

    Values are those of :func:`virtuallab.decoder.features.samples.by_subject`, interpolated between
    the two visits around each fraction; visit 0 is left out.

    Parameters
    ----------
    features : xr.Dataset
        As for ``by_subject``; with the change ``act_step``.
    observable : {"activity", "weights", "activity_change", "all"}
    """
    samples = by_subject(features, observable, staged=False)
    values = samples.values.reshape(len(samples.values), -1, samples.visits)
    known = progress(features)[:, 1:]
    fractions = np.arange(1, STAGES + 1) / STAGES
    visits = np.arange(samples.visits)
    place = np.array([np.interp(fractions, each, visits) for each in known])[:, None]
    before = np.floor(place).astype(int)
    after = np.minimum(before + 1, samples.visits - 1)
    low, high = (np.take_along_axis(values, each, axis=2) for each in (before, after))
    # Not a weighted sum: a value that is not finite would count at a weight of 0.
    found = np.where(place == before, low, low + (place - before) * (high - low))
    return replace(samples, values=found.reshape(len(found), -1), visits=STAGES)
