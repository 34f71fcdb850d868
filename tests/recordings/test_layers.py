from __future__ import annotations

import numpy as np
import pytest

from tests.recordings.files import plain, read, refusal, responses
from virtuallab.probes.tissue_geometry import depth_group


def test_units_of_a_layer_lie_together_in_the_order_in_which_layers_first_come(tmp_path):
    owners = ["L4", "L2", "L4", "L5", "L2", "L4"]
    found = read(plain().assign_coords(layer=("unit", owners)), tmp_path)
    assert found["layer"].values.tolist() == ["L4", "L2", "L5"]
    assert found["unit_layer"].values.tolist() == ["L4", "L4", "L4", "L2", "L2", "L5"]
    assert found["n_units"].values.tolist() == [3, 2, 1]
    order = [0, 2, 5, 1, 4, 3]
    np.testing.assert_array_equal(found["activity"], responses().astype("f4")[..., order])
    assert found["layer_depth"].values.tolist() == [0.0, 0.5, 1.0]
    assert found["depth_group"].values.tolist() == [depth_group(i, 3) for i in range(3)]


@pytest.mark.parametrize("name", ["depth", "layer_depth"])
def test_layers_are_in_the_order_of_their_depth(tmp_path, name):
    owners = ["L4", "L2", "L4", "L5", "L2", "L4"]
    depth = np.array([0.5, 0.125, 0.5, 0.875, 0.125, 0.5]) * (800 if name == "depth" else 1)
    whole = plain().assign_coords({"layer": ("unit", owners), name: ("unit", depth)})
    found = read(whole, tmp_path)
    assert found["layer"].values.tolist() == ["L2", "L4", "L5"]
    assert found["unit_layer"].values.tolist() == ["L2", "L2", "L4", "L4", "L4", "L5"]
    wanted = [0.0, 0.5, 1.0] if name == "depth" else [0.125, 0.5, 0.875]
    assert found["layer_depth"].values.tolist() == wanted


def test_depths_that_are_missing_are_taken_from_the_others_of_the_layer(tmp_path):
    owners = list("aabbcc")
    depth = [300.0, np.nan, 100.0, 110.0, np.nan, 200.0]
    whole = plain().assign_coords(layer=("unit", owners), depth=("unit", depth))
    assert read(whole, tmp_path)["layer"].values.tolist() == ["b", "c", "a"]
    unknown = whole.assign_coords(depth=("unit", [np.nan] * 6))
    assert read(unknown, tmp_path)["layer"].values.tolist() == ["a", "b", "c"]
    one = whole.assign_coords(depth=("unit", [1.0, 1.0, 2.0, 2.0, np.nan, np.nan]))
    assert "no unit of the layer c has a depth" in refusal(one, tmp_path)


def test_layers_that_cannot_be_are_refused(tmp_path):
    whole = plain().assign_coords(layer=("unit", ["a", "", "b", "b", "", "a"]))
    assert "2 units have no layer, first 1, 4" in refusal(whole, tmp_path)
    deep = plain().assign_coords(
        layer=("unit", list("aabbab")), layer_depth=("unit", [1, 1, 8, 8, 1, 8])
    )
    message = refusal(deep, tmp_path)
    assert "found 1 to 8. If it is a depth in another unit, call it depth" in message
    listed = plain().assign_coords(layer=["a", "b"], unit_layer=("unit", list("aabbac")))
    assert "found units of the layers c" in refusal(listed, tmp_path)
