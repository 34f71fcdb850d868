from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import xarray as xr
import zarr

from tests.store.toy import NODE, STAGE, declare, new_store, sample, subjects
from virtuallab.errors import MachineError, StoreError
from virtuallab.store import Store
from virtuallab.store.layout.chunk import check_chunk, write_chunk

Change = Callable[[xr.Dataset], xr.Dataset]


@pytest.mark.parametrize(
    ("subject", "change", "message"),
    [
        (0, lambda ds: ds.isel(unit=slice(4)), r"takes \(visit 3, stimulus 4, unit 5\)"),
        (0, lambda ds: ds.astype(np.float64), "float32 of a subject, not .* float64"),
        (0, lambda ds: ds.rename(unit="neuron"), "not .visit 3, stimulus 4, neuron 5"),
        (0, lambda ds: ds.expand_dims("subject"), "not .subject 1, visit 3"),
        (0, lambda ds: ds.drop_vars("activity"), "holds"),
        (0, lambda ds: ds.assign(more=("unit", np.zeros(5))), "holds"),
        (6, lambda ds: ds, "subjects 0 to 5, not 6"),
        (-1, lambda ds: ds, "not -1"),
    ],
)
def test_the_writer_takes_one_whole_chunk_and_nothing_else(
    tmp_path: Path, subject: int, change: Change, message: str
) -> None:
    store = new_store(tmp_path)
    with pytest.raises(StoreError, match=message):
        store.write(NODE, subject, change(sample()))
    assert not list((store.path / NODE / "activity").glob("c.*"))


def test_axes_of_equal_length_are_told_apart_by_name(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    square = xr.Dataset({"square": (("visit", "stimulus"), np.zeros((3, 3)))})
    store.declare("square", square)
    with pytest.raises(StoreError, match=r"takes .visit 3, stimulus 3. .*not .stimulus 3, visit"):
        store.write("square", 0, square.transpose())


def test_a_node_that_was_never_declared_is_refused_with_those_there_are(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with pytest.raises(StoreError, match=f"has no recordings/utha. It has {NODE}, subjects"):
        store.write("recordings/utha", 0, sample())


@pytest.mark.parametrize("layout", [{"chunks": (2, 5)}, {"chunks": (1, 5), "shards": (2, 5)}])
def test_an_array_whose_subjects_share_a_file_is_refused(
    tmp_path: Path, layout: dict[str, tuple[int, int]]
) -> None:
    store = new_store(tmp_path)
    group = zarr.open_group(str(store.path), mode="r+", use_consolidated=False)
    names = ("subject", "unit")
    array = group.create_array(
        "shared/x", shape=(6, 5), dtype="f4", dimension_names=names, **layout
    )  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="one chunk a subject; writes would destroy others"):
        check_chunk(array, "shared/x", 0, np.zeros(5, np.float32))


def test_a_committed_subject_is_not_replaced_by_other_values(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.write(NODE, 1, sample(8.0))
    written = store.write(NODE, 1, sample(1.0))  # not committed: a resumed run starts it afresh
    store.commit(STAGE, 1, {"checksums": {NODE: written}})
    assert store.write(NODE, 1, sample(1.0)) == written
    with pytest.raises(StoreError, match=r"committed in .* other values. Remove .*000001\.json"):
        store.write(NODE, 1, sample(2.0))
    assert store.verify() == []
    (tmp_path / "lab.records" / STAGE / "000001.json").unlink()
    store.write(NODE, 1, sample(2.0))


KINDS = [
    np.array([[0.5, np.nan], [-np.inf, 0.0]], dtype=kind)
    for kind in (np.float16, np.float32, np.float64)
] + [
    np.array([[0, 1], [-1, 7]], dtype=np.int8),
    np.array([[0, 1], [-1, 70_000]], dtype=np.int32),
    np.array([[True, False], [False, False]]),
    np.array([["a", "größer"], ["", "a much longer word"]], dtype=object),
    np.array([["a", "größer"], ["", "a much longer word"]]),
]


@pytest.mark.parametrize("values", KINDS, ids=lambda values: str(values.dtype))
def test_every_kind_of_value_comes_back_as_it_was(tmp_path: Path, values: np.ndarray) -> None:
    store = new_store(tmp_path)
    wanted = xr.Dataset({"x": (("visit", "unit"), values)})
    store.declare("kinds", wanted)
    store.commit("kinds", 2, {"checksums": {"kinds": store.write("kinds", 2, wanted)}})
    again = Store.open(store.path)
    found = again.read("kinds", 2)["x"]
    assert found.dtype == (object if values.dtype.kind in "UO" else values.dtype)
    assert found.dims == ("visit", "unit")
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(again.read("kinds")["x"].values[2], values)
    assert again.verify() == []


@pytest.mark.parametrize("values", KINDS, ids=lambda values: str(values.dtype))
@pytest.mark.parametrize("compressors", ["auto", None], ids=["compressed", "plain"])
def test_a_chunk_has_the_bytes_that_zarr_writes(
    tmp_path: Path, values: np.ndarray, compressors: Literal["auto"] | None
) -> None:
    files = []
    text = values.dtype.kind in "UO"
    for name in ("ours", "theirs"):
        array = zarr.create_array(
            str(tmp_path / name),
            shape=(3, *values.shape),
            chunks=(1, *values.shape),
            dtype="str" if text else values.dtype,
            compressors=compressors,
            chunk_key_encoding={"name": "default", "separator": "."},
            config={"write_empty_chunks": True},
        )
        if name == "ours":
            write_chunk(array, 1, values.astype(object) if text else values)
        else:
            array[1:2] = values[np.newaxis].astype(object) if text else values[np.newaxis]
        found = {file.name: file.read_bytes() for file in (tmp_path / name).glob("c.*")}
        assert found.keys() == {"c.1.0.0"}
        files.append(found)
    assert files[0] == files[1]


def test_nothing_is_left_of_a_chunk_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    store = new_store(tmp_path)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(MachineError, match="the disk is full"):
        store.write(NODE, 0, sample())
    assert not list((store.path / NODE / "activity").glob("c.*"))


def test_a_value_without_axes_is_a_chunk_too(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.declare("scalar", xr.Dataset({"angle": ((), np.float32(0))}))
    store.write("scalar", 3, {"angle": np.array(2.5, dtype=np.float32)})
    assert store.read("scalar")["angle"].values[3] == 2.5
    assert store.read("scalar", 3)["angle"] == 2.5


def test_zeros_are_stored_as_any_other_value(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.declare("flags", xr.Dataset({"flag": ("layer", np.zeros(3, np.int8))}))
    written = store.write("flags", 0, {"flag": np.zeros(3, np.int8)})
    store.commit(STAGE, 0, {"checksums": {"flags": written}})
    assert store.verify() == []
    (store.path / "flags" / "flag" / "c.0.0").unlink()
    (damage,) = store.verify()  # the file is gone, though an absent chunk reads as zeros
    assert str(damage).startswith(f"{store.path}/flags/flag/c.0.0 (sub-0001) is missing.")


def test_a_subject_is_named_by_the_coordinates_of_its_node(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    declare(store)
    everyone = store.read(NODE)
    assert everyone.coords["rule"].values.tolist() == subjects()["rule"].values.tolist()
    assert everyone["activity"].attrs == {"units": "1", "long_name": "activation"}
