"""The truth as one table of subjects whose layers differ."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.lab.table import truth

LAYERS = ["fc1", "fc2", "fc3", "conv1", "conv2"]
LAYERS_OF = {0: ["fc1", "fc2", "fc3"], 1: ["conv1", "conv2", "fc3"]}
SUBJECTS = xr.Dataset(
    {"rule": ("subject", np.array(["a", "b"], dtype=object))},
    coords={"subject": np.array(["sub-0001", "sub-0002"], dtype=object)},
)
VISITS = xr.Dataset(coords={"visit": [0, 1], "step": ("visit", [0, 9])})
RECORDS = {
    1: {"truth": {"weight_angle": [[90, 80, 70], [60, 50, 40]], "validation_loss": [2.3, 0.5]}}
}


def made() -> xr.Dataset:
    return truth(SUBJECTS, RECORDS, LAYERS, LAYERS_OF, VISITS)


def test_each_measure_lies_at_its_subject_and_its_layer() -> None:
    angle = made()["weight_angle"].sel(subject="sub-0002")
    np.testing.assert_array_equal(angle.sel(layer=LAYERS_OF[1]), [[90, 80, 70], [60, 50, 40]])
    assert np.isnan(angle.sel(layer=["fc1", "fc2"])).all()
    assert np.isnan(made()["weight_angle"].sel(subject="sub-0001")).all()
    assert made()["weight_angle"].attrs["units"] == "degree"


def test_depth_tells_the_order_of_a_subjects_own_layers() -> None:
    depth = made()["layer_depth"]
    for place, own in LAYERS_OF.items():
        np.testing.assert_array_equal(depth.isel(subject=place).sel(layer=own), [0, 0.5, 1])
    assert int(np.isnan(depth).sum()) == 4
