"""Layers of the units of a file, and their order."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.errors import UserError
from virtuallab.probes.tissue_geometry import depth_group
from virtuallab.recordings.optional_variable import optional_numbers, optional_variable
from virtuallab.recordings.text import as_text, first_few, is_missing
from virtuallab.text import count_noun
from virtuallab.vocabulary import LAYER, UNIT, describe

_ONLY = "recorded"  # the layer of all units if a file names none


@dataclass(frozen=True)
class RecordedLayers:
    """Layers of a recording in their order, and the layer of each unit.

    Parameters
    ----------
    names : tuple of str
    depth : array, (layer,)
        From 0, the first, to 1, the last.
    group : array of int, (layer,)
        Early (0), middle (1) or deep (2).
    of_unit : array of int, (unit,)
        Index of each unit's layer.
    """

    names: tuple[str, ...]
    depth: jt.Float[np.ndarray, " layer"]
    group: jt.Int[np.ndarray, " layer"]
    of_unit: jt.Int[np.ndarray, " unit"]

    @property
    def order(self) -> jt.Int[np.ndarray, " unit"]:
        """Order of units that puts those of a layer together."""
        return np.argsort(self.of_unit, kind="stable")

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return the coordinates of a recording whose units are in this order."""
        names = np.array(self.names, dtype=object)
        counts = np.bincount(self.of_unit, minlength=len(names))
        named = {
            LAYER: (LAYER, names),
            "layer_depth": (LAYER, self.depth),
            "depth_group": (LAYER, self.group),
            "n_units": (LAYER, counts),
            "unit_layer": (UNIT, names[np.sort(self.of_unit)]),
        }
        return {n: xr.Variable((dim,), values, describe(n)) for n, (dim, values) in named.items()}


def find_layers(dataset: xr.Dataset, source: str) -> RecordedLayers:
    """Return the layers of a file.

    A file names the layer of each unit in ``layer`` or ``unit_layer``. Layers are in the order of
    an axis ``layer`` with names, if the file has one, as our own recordings have; otherwise in that
    of the units' ``layer_depth`` or ``depth``; without these, in that of their first appearance.

    Raises
    ------
    UserError
        If layers or depths are incomplete or contradict one another.
    """
    n_units = dataset.sizes[UNIT]
    of_units = optional_variable(dataset, "unit_layer", (UNIT,), source)
    if of_units is None and LAYER not in dataset.dims:
        of_units = optional_variable(dataset, LAYER, (UNIT,), source)
    owners = as_text(of_units) if of_units is not None else [_ONLY] * n_units
    unnamed = np.flatnonzero(is_missing(owners)).tolist()
    if unnamed:
        has = "has" if len(unnamed) == 1 else "have"
        raise UserError(
            f"{source}: {count_noun(len(unnamed), 'unit')} {has} no layer, first "
            f"{first_few(unnamed)} (counted from 0). Name a layer for each unit, or leave the "
            "layers out."
        )
    if LAYER in dataset.dims and of_units is not None:
        return _from_axis(dataset, owners, source)
    return _from_units(dataset, owners, source)


def _from_axis(dataset: xr.Dataset, owners: list[str], source: str) -> RecordedLayers:
    listed = optional_variable(dataset, LAYER, (LAYER,), source)
    names = as_text(listed) if listed is not None else list(dict.fromkeys(owners))
    strange = sorted(set(owners) - set(names))
    if strange or len(set(names)) < dataset.sizes[LAYER]:
        wrong = f"units of the layers {first_few(strange)}" if strange else "layers named twice"
        raise UserError(
            f"{source}: found {wrong}, on an axis of layers {first_few(names)}. Name each layer of "
            "unit_layer once on the axis layer."
        )
    count = len(names)
    depth = optional_numbers(dataset, "layer_depth", (LAYER,), source)
    group = optional_numbers(dataset, "depth_group", (LAYER,), source)
    return RecordedLayers(
        tuple(names),
        _even_depths(count) if depth is None else _check_relative(depth, source),
        _depth_groups(count) if group is None else group.astype(np.int64),
        np.array([names.index(owner) for owner in owners]),
    )


def _from_units(dataset: xr.Dataset, owners: list[str], source: str) -> RecordedLayers:
    names = list(dict.fromkeys(owners))
    relative = _depth(dataset, "layer_depth", source)
    depth = _depth(dataset, "depth", source) if relative is None else relative
    if depth is not None:
        mine, known = np.array(owners), ~np.isnan(depth)
        unknown = [name for name in names if not known[mine == name].any()]
        if unknown:
            raise UserError(
                f"{source}: no unit of the layer {first_few(unknown)} has a depth, and others "
                "have. Give at least one of each layer a depth, or leave depths out."
            )
        means = {name: float(depth[(mine == name) & known].mean()) for name in names}
        names.sort(key=means.__getitem__)
    count = len(names)
    if relative is None:
        where = _even_depths(count)
    else:
        _check_relative(relative, source)
        where = np.array([means[name] for name in names])
    of_unit = np.array([names.index(owner) for owner in owners])
    return RecordedLayers(tuple(names), where, _depth_groups(count), of_unit)


def _depth(dataset: xr.Dataset, name: str, source: str) -> np.ndarray | None:
    """Return the depth of each unit, NaN where missing; None if all are."""
    found = optional_numbers(dataset, name, (UNIT,), source, gaps=True)
    return None if found is None or np.isnan(found).all() else found


def _even_depths(count: int) -> jt.Float[np.ndarray, " layer"]:
    return np.arange(count) / max(count - 1, 1)


def _depth_groups(count: int) -> jt.Int[np.ndarray, " layer"]:
    return np.array([depth_group(index, count) for index in range(count)])


def _check_relative(depth: np.ndarray, source: str) -> np.ndarray:
    low, high = np.nanmin(depth), np.nanmax(depth)
    if low < 0 or high > 1:
        raise UserError(
            f"{source}: layer_depth goes from 0, the first layer, to 1, the last; found "
            f"{low:g} to {high:g}. If it is a depth in another unit, call it depth."
        )
    return depth.astype(np.float64)
