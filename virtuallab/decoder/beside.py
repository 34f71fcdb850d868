"""What is known of the subjects beside their recordings."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr


@dataclass(frozen=True)
class Beside:
    """What is known of the subjects beside their recordings, for controls and for no decoder.

    Parameters
    ----------
    subjects : xr.Dataset, optional
        What was decided about each, over ``subject``.
    performance : xr.DataArray, optional
        Validation accuracy, dims (subject, visit).
    others : xr.Dataset, optional
        Features of subjects of rules that are not to be named.
    """

    subjects: xr.Dataset | None = None
    performance: xr.DataArray | None = None
    others: xr.Dataset | None = None
