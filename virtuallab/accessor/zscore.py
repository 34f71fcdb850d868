"""Standard scores of responses, which can be compared across units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from virtuallab.accessor.variables import subject_blocks, variable
from virtuallab.errors import UserError, suggest
from virtuallab.vocabulary import ACTIVITY, STIMULUS, SUBJECT


def zscore(
    recording: xr.Dataset, name: str = ACTIVITY, over: str | Sequence[str] = (STIMULUS,)
) -> xr.DataArray:
    """Return standard scores: values minus their mean, over their standard deviation.

    The standard deviation is that of a population (divided by the count). The score of constant
    values is 0; missing values are NaN.

    Parameters
    ----------
    name : str, default "activity"
        Variable.
    over : str or list of str, default ("stimulus",)
        Axes over which mean and standard deviation are computed.

    Returns
    -------
    xr.DataArray
        Dims of the variable, without unit. Dask arrays are not computed.

    Raises
    ------
    UserError
        If there is no such variable or axis.
    """
    values = variable(recording, name)
    dims = [over] if isinstance(over, str) else list(over)
    if not dims:
        raise UserError("'over' names no axis: name at least one, such as 'stimulus'.")
    for dim in dims:
        if dim not in values.dims:
            known = [str(each) for each in values.dims]
            raise UserError(f"{name!r} has no axis {dim!r}. {suggest(str(dim), known)}")
    if values.dtype.kind not in "fiub":
        raise UserError(f"{name!r} is not made of numbers.")
    if values.chunks is not None or SUBJECT in dims or SUBJECT not in values.dims:
        found = _score(values, dims)
    else:
        blocks = subject_blocks(values)
        parts = [_score(values.isel({SUBJECT: block}), dims).to_numpy() for block in blocks]
        found = values.copy(data=np.concatenate(parts, axis=values.dims.index(SUBJECT)))
    long_name = f"z-scored {values.attrs.get('long_name', name)}"
    return found.rename(name).assign_attrs({**values.attrs, "units": "1", "long_name": long_name})


def _score(values: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    exact = values.astype(np.float64)
    there = abs(exact) < np.inf
    count = there.sum(dims)
    count = count.where(count > 0)  # without values there is no mean, and division by 0 warns
    deviation = exact.where(there) - exact.where(there, 0.0).sum(dims) / count
    spread = ((deviation.where(there, 0.0) ** 2).sum(dims) / count) ** 0.5
    # By the range, because rounding makes the standard deviation of constants positive.
    constant = exact.where(there, -np.inf).max(dims) == exact.where(there, np.inf).min(dims)
    score = (deviation / spread.where(~constant, 1.0)).where(~(constant & there), 0.0)
    score = score.transpose(*values.dims)
    return score.astype(np.result_type(values.dtype, np.float32))
