"""Variables, layers and blocks of a recording."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from virtuallab.accessor.variables import (
    coords_along,
    layers,
    read_block,
    responses,
    strings,
    subject_blocks,
    unit_layers,
)
from virtuallab.errors import UserError


def recording() -> xr.Dataset:
    values = np.arange(24.0).reshape(2, 3, 4)
    values[1, 0, 0] = np.inf
    coords = {"unit_layer": ("unit", ["a", "a", "b", "b"]), "rule": ("subject", ["r", "s"])}
    return xr.Dataset({"activity": (("subject", "stimulus", "unit"), values)}, coords)


def test_layers_are_in_the_order_of_their_units() -> None:
    assert layers(recording()) == ("a", "b")
    assert unit_layers(recording()).tolist() == ["a", "a", "b", "b"]
    assert strings(recording()["unit_layer"][0]).tolist() == ["a"]


def test_an_axis_that_was_dropped_is_named_in_the_message() -> None:
    with pytest.raises(UserError, match=r"no axis 'unit'.*isel\(unit=\[0\]\)"):
        responses(recording().isel(unit=0))
    with pytest.raises(UserError, match="no variable 'activity'"):
        responses(recording()[[]])


def test_blocks_cover_all_subjects_once() -> None:
    large = xr.Variable(("subject", "unit"), np.broadcast_to(0.0, (7, 2**22)))
    blocks = list(subject_blocks(large))
    assert [subject for block in blocks for subject in range(7)[block]] == list(range(7))
    assert len(blocks) == 4
    assert list(subject_blocks(large[0])) == [slice(None)]


def test_a_block_has_the_axes_asked_for_and_nan_for_what_is_not_finite() -> None:
    read = read_block(recording()["activity"], slice(1, 2), ("subject", "unit", "stimulus"))
    assert read.shape == (1, 4, 3)
    assert np.isnan(read[0, 0, 0])
    assert read[0, 1, 0] == 13


def test_coordinates_of_other_axes_are_left_out() -> None:
    assert set(coords_along(recording(), ("subject",))) == {"rule"}
    assert set(coords_along(recording(), ("subject", "layer"))) == {"rule", "layer"}
