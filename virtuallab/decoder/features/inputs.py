"""Features and rules that a user passes to a decoder, checked and read as samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from virtuallab.decoder.features.samples import Samples, by_subject, pairs_of
from virtuallab.errors import UserError
from virtuallab.vocabulary import RULE, SUBJECT, VISIT

Features = xr.Dataset | xr.DataArray | ArrayLike

_OF_A_PROBE = ("change", "change_observable", "depth_group")


def samples_of(
    features: Features, rules: ArrayLike | None, observable: str, groups: ArrayLike | None = None
) -> Samples:
    """Samples of subjects with known rules and pairs.

    By default these are the coordinates ``rule`` and ``pair``; without ``pair`` there are no pairs.
    """
    if rules is None:
        if not isinstance(features, xr.Dataset | xr.DataArray) or RULE not in features.coords:
            raise UserError("rules: give the rule of each subject")
        rules = features[RULE].values
    values, visits = _read(features, observable, "features")
    labels = _of_subjects("rules", rules, len(values)).astype(str)
    if len(known := set(labels.tolist())) < 2:
        raise UserError(f"rules: needs subjects of at least two rules, found {known}")
    pairs = _pairs(features, groups, len(values))
    return Samples(values, labels, np.arange(len(values)), visits, pairs=pairs)


def outliers_of(features: Features, observable: str) -> Samples:
    """Samples of subjects of other rules, with the pairs of the coordinate ``pair``."""
    values, visits = _read(features, observable, "outliers")
    pairs = _pairs(features, None, len(values))
    labels = np.full(len(values), "other")
    return Samples(values, labels, np.arange(len(values)), visits, pairs=pairs)


def _pairs(features: Features, groups: ArrayLike | None, count: int) -> np.ndarray | None:
    """Name of the pair of each subject, as text, so that those of two tables can be compared."""
    if groups is None and isinstance(features, xr.Dataset | xr.DataArray):
        groups = pairs_of(features)
    return None if groups is None else _of_subjects("groups", groups, count).astype(str)


def _of_subjects(name: str, values: ArrayLike, count: int) -> np.ndarray:
    """One value a subject, none of them missing."""
    given = np.asarray(values, dtype=object)
    if given.shape != (count,):
        found = len(given) if given.ndim == 1 else f"an array of shape {given.shape}"
        raise UserError(f"{name}: {found} for {count} subjects")
    if (missing := pd.isna(given)).any():
        places = ", ".join(map(str, np.flatnonzero(missing)))
        raise UserError(f"{name}: missing for the subjects at positions {places}")
    return given


def values_of(features: Features, observable: str, name: str = "features") -> np.ndarray:
    """Values (subject, column) of a table, or of the samples of a probe's features."""
    return _read(features, observable, name)[0]


def _read(features: Features, observable: str, name: str) -> tuple[np.ndarray, int]:
    """Values (subject, column), and the number of visits of their samples; 1 for a table."""
    visits = 1
    if isinstance(features, xr.Dataset):
        absent = [key for key in _OF_A_PROBE if key not in features.variables]
        if absent:
            raise UserError(
                f"{name}: a Dataset must hold the features of a probe; it has no "
                f"{', '.join(absent)}"
            )
    if isinstance(features, xr.Dataset | xr.DataArray) and SUBJECT not in features.dims:
        found = tuple(features.dims)
        raise UserError(f"{name}: needs the dimension 'subject', found {found}")
    if isinstance(features, xr.Dataset):
        unknown = np.full(features.sizes[SUBJECT], "unknown")
        samples = by_subject(labelled(features, unknown), observable)
        values, visits = samples.values, samples.visits
    else:
        if isinstance(features, xr.DataArray):
            features = features.transpose(SUBJECT, ...)
        try:
            values = np.asarray(features, dtype=np.float64, order="C")
        except (TypeError, ValueError) as error:
            raise UserError(f"{name}: needs a table of numbers ({error})") from None
    if values.ndim != 2:
        raise UserError(f"{name}: needs 2 dimensions (subject, column), found {values.ndim}")
    if not np.isfinite(values).any():
        raise UserError(f"{name}: no finite value among {' x '.join(map(str, values.shape))}")
    return values, visits


def labelled(features: Features, labels: np.ndarray) -> xr.Dataset:
    """Features of a probe with these rules; of a table, names and rules of its subjects only."""
    rule = {RULE: (SUBJECT, labels.astype(object))}
    if isinstance(features, xr.Dataset):
        return features.assign_coords(rule)
    names: Any = np.arange(len(labels))
    if isinstance(features, xr.DataArray) and SUBJECT in features.coords:
        names = features[SUBJECT].to_numpy()
    return xr.Dataset(coords={SUBJECT: names, **rule})


def check_columns(values: np.ndarray, expected: int, name: str = "features") -> None:
    """Refuse samples with another number of columns than the training samples."""
    if values.shape[1] != expected:
        raise UserError(f"{name}: {values.shape[1]} columns, where training has {expected}")


def check_labels(features: xr.Dataset, **given: xr.Dataset | xr.DataArray | None) -> None:
    """Refuse further data that lack subjects or visits of the features."""
    for name, data in given.items():
        if data is None:
            continue
        for dim in (SUBJECT, VISIT):
            if dim not in features.coords or dim not in (SUBJECT, *data.dims):
                continue
            known = set(data[dim].values.tolist()) if dim in data.coords else set()
            absent = [label for label in features[dim].values.tolist() if label not in known]
            if absent:
                raise UserError(
                    f"{name}: no values for {len(absent)} of the features' {dim}s, such as "
                    f"{absent[0]!r}"
                )
