"""The form of stored arrays: axes, chunks, types and fill values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from virtuallab.errors import StoreError
from virtuallab.store.layout.arrays import (
    as_strings,
    check_same_form,
    coords_by_subject,
    declare_array,
    is_text,
    lies_along,
    replace_variables,
    subject_coords,
    table_encoding,
    value_dims,
    with_string_objects,
)


def declared(folder: Path, values: np.ndarray, **attributes: Any) -> zarr.Array[Any]:
    group = zarr.create_group(str(folder / "node"), zarr_format=3)
    sample = xr.DataArray(values, dims=("visit", "unit"), attrs=attributes)
    declare_array(group, "activity", sample, 3)
    found = group["activity"]
    assert isinstance(found, zarr.Array)
    return found


def test_an_array_has_one_chunk_for_each_subject_in_a_flat_folder(tmp_path: Path) -> None:
    found = declared(tmp_path, np.zeros((2, 4), np.float32), scale=np.float64(2), bins=np.arange(2))
    assert (found.shape, found.chunks, found.dtype) == ((3, 2, 4), (1, 2, 4), np.float32)
    assert value_dims(found) == ("visit", "unit")
    assert found.attrs["long_name"] == "activation"
    assert (found.attrs["scale"], found.attrs["bins"]) == (2.0, [0, 1])
    found[1] = 1.0
    folder = tmp_path / "node" / "activity"
    assert sorted(f.name for f in folder.iterdir()) == ["c.1.0.0", "zarr.json"]


@pytest.mark.parametrize(
    ("values", "unwritten"),
    [
        (np.ones((1, 2)), np.nan),
        (np.ones((1, 2), np.int8), 0),
        (np.ones((1, 2), bool), False),
        (np.array([["a", "b"]], dtype=object), ""),
        (np.array([["a", "b"]]), ""),
    ],
)
def test_values_of_a_subject_that_was_not_written_are_missing(
    tmp_path: Path, values: np.ndarray, unwritten: object
) -> None:
    found = np.asarray(declared(tmp_path, values)[2]).ravel().tolist()
    np.testing.assert_array_equal(found, [unwritten, unwritten])


def sample(**changed: Any) -> xr.Dataset:
    variables = {"activity": ("unit", np.zeros(2, np.float32))} | changed
    return xr.Dataset(variables, coords={"unit_index": ("unit", [4, 7]), "visit": [0, 1]})


STATIC = xr.Dataset(coords={"visit": [0, 1], "subject": ["a", "b", "c"]})


def stored() -> xr.Dataset:
    """A node as it is read: subjects first, and the coordinates of each subject named on values."""
    found = xr.Dataset(
        {"activity": (("subject", "unit"), np.zeros((3, 2), np.float32))},
        coords={**STATIC.coords, "unit_index": (("subject", "unit"), np.zeros((3, 2), int))},
    )
    found["activity"].encoding["coordinates"] = "unit_index"
    return found


def test_coordinates_of_one_subject_are_those_that_are_not_static() -> None:
    assert list(subject_coords(sample(), STATIC)) == ["unit_index"]
    assert coords_by_subject(stored()) == {"unit_index"}


def test_values_of_the_declared_form_are_accepted() -> None:
    check_same_form(stored(), sample(), STATIC, "recordings/utah")


@pytest.mark.parametrize(
    ("given", "static", "message"),
    [
        (
            sample(activity=("unit", np.zeros(2))),
            STATIC,
            r"n/activity is stored as \(unit 2\) float32, and cannot take \(unit 2\) float64\.",
        ),
        (
            sample(weights=("unit", np.array(["a", "b"]))),
            STATIC,
            r"n/weights is stored as nothing, and cannot take \(unit 2\) text\.",
        ),
        (
            sample().drop_vars("unit_index"),
            STATIC,
            r"n/unit_index is stored as \(unit 2\) int64, and cannot take nothing\.",
        ),
        (
            sample().assign_coords(visit=[0, 5]),
            STATIC.assign_coords(visit=[0, 5]),
            "n is stored with another visit; give it another name",
        ),
        (sample(), STATIC.assign_coords(rule=("subject", [1, 2, 3])), "with another rule"),
    ],
)
def test_values_of_another_form_are_refused_by_name(
    given: xr.Dataset, static: xr.Dataset, message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        check_same_form(stored(), given, static, "n")


def test_members_of_a_pool_count_as_part_of_their_unit() -> None:
    values = xr.DataArray(np.zeros((2, 3)), dims=("visit", "unit"))
    members = xr.DataArray(np.zeros((3, 4)), dims=("unit", "member"))
    assert lies_along(members, values)
    assert not lies_along(members, values.isel(unit=0))


def test_each_variable_of_a_table_is_one_chunk_unless_it_has_no_values() -> None:
    table = xr.Dataset(
        {"a": ("x", np.zeros(3)), "one": ((), 1.0), "none": ("y", np.zeros(0))},
        coords={"x": [1, 2, 3]},
    )
    assert table_encoding(table) == {"a": {"chunks": (3,)}, "x": {"chunks": (3,)}}


def test_text_of_every_kind_becomes_python_strings() -> None:
    for values in (
        np.array([["a", "bc"]]),
        np.array([["a", "bc"]], dtype=object),
        np.array([["a", "bc"]], dtype=np.dtypes.StringDType()),
    ):
        assert is_text(values.dtype)
        found = as_strings(values)
        assert found.dtype == object
        assert found.shape == (1, 2)
        assert [type(each) for each in found.ravel()] == [str, str]
    assert not is_text(np.dtype(np.int64))


def test_variables_of_text_keep_their_attributes_and_stay_coordinates() -> None:
    table = xr.Dataset(
        {"note": ("x", np.array(["a", "b"]), {"long_name": "remark"}), "n": ("x", [1, 2])},
        coords={"x": np.array(["p", "q"])},
    )
    found = with_string_objects(table)
    assert found["note"].dtype == found["x"].dtype == object
    assert found["note"].attrs == {"long_name": "remark"}
    assert list(found.coords) == ["x"]
    assert found["n"].dtype == table["n"].dtype


def test_replaced_coordinates_stay_coordinates() -> None:
    table = xr.Dataset({"n": ("x", [1, 2])}, coords={"kind": ("x", [3, 4])})
    found = replace_variables(table, {"kind": ("x", [5, 6]), "n": ("x", [7, 8])})
    assert list(found.coords) == ["kind"]
    assert found["kind"].values.tolist() == [5, 6]
    assert found["n"].values.tolist() == [7, 8]
