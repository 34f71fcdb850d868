from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from tests.store.toy import NODE, contents, declare, new_store, sample, subjects, words
from virtuallab.errors import StoreError
from virtuallab.store import Store


def test_declaring_again_changes_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    before = contents(store.path)
    declare(store)
    declare(Store.open(store.path))
    assert contents(store.path) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: ds.isel(stimulus=slice(2)), "activity is stored as .*stimulus 4.* cannot take"),
        (lambda ds: ds.astype(np.float16), "float32, and cannot take .* float16"),
        (lambda ds: ds.rename(stimulus="sound"), "cannot take .visit 3, sound 4"),
        (lambda ds: ds.drop_vars("unit_index"), "unit_index .* cannot take nothing"),
        (lambda ds: ds.assign(more=("unit", np.zeros(5))), "more is stored as nothing"),
        (lambda ds: ds.assign_coords(step=ds["step"] + 1), "stored with another step"),
        (lambda ds: ds.assign_coords(epoch=ds["step"]), "stored with another epoch"),
        (lambda ds: ds.assign_coords(unit_layer=("unit", words(*"abcde"))), "another unit_layer"),
    ],
)
def test_declaring_otherwise_is_refused(
    tmp_path: Path, change: Callable[[xr.Dataset], xr.Dataset], message: str
) -> None:
    store = new_store(tmp_path)
    with pytest.raises(StoreError, match=message):
        store.declare(
            NODE, change(sample()), coords={"rule": subjects()["rule"]}, own=["unit_index"]
        )


def test_a_failed_declaration_leaves_no_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store(tmp_path)
    before = contents(store.path)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("virtuallab.store.node_writer._to_zarr", stop)
        with pytest.raises(KeyboardInterrupt):
            store.declare("recordings/utah/mlp", sample())
    assert Store.open(store.path).nodes() == [NODE, "subjects"]
    store.finish()
    assert contents(store.path) == before
    store.declare("recordings/utah/mlp", sample())
    assert "unit_layer" in store.read("recordings/utah/mlp").coords


def test_a_table_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.write_table("decoding/main", xr.Dataset({"old": ("a", np.arange(3.0))}))
    store.write_table("decoding/main", xr.Dataset({"new": ("a", np.arange(4.0))}))
    assert list(store.read("decoding/main")) == ["new"]
    assert store.read("decoding/main").sizes == {"a": 4}


def test_a_table_read_from_a_store_can_be_written_back(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    table = store.subjects.assign(status=("subject", np.ones(6, np.int8)))
    store.write_table("subjects", table.load())
    xr.testing.assert_identical(store.subjects.load(), table.load())


def test_a_table_lies_in_one_chunk_a_variable(tmp_path: Path) -> None:
    store = new_store(tmp_path, 300)
    group = zarr.open_group(str(store.path), mode="r", use_consolidated=False)
    chunks = {name: array.chunks for name, array in group["subjects"].arrays()}  # type: ignore[union-attr]
    assert chunks == dict.fromkeys(["rule", "learning_rate", "subject"], (300,))


def test_a_chunk_of_a_subject_is_one_file_and_no_folder(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.write(NODE, 2, sample())
    assert sorted(path.name for path in (store.path / NODE / "activity").iterdir()) == [
        "c.2.0.0.0",
        "zarr.json",
    ]


def test_subjects_not_written_yet_read_as_missing(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.declare("flags", xr.Dataset({"flag": ("layer", np.zeros(3, np.int8))}))
    store.write(NODE, 1, sample(1.0))
    assert np.isnan(store.read(NODE)["activity"].values[[0, 2, 3, 4, 5]]).all()
    assert (store.read("flags")["flag"].values == 0).all()


def test_nothing_is_left_beside_the_store_but_its_records(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.write_table("subjects", subjects())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab.records", "lab.zarr"]
    names = sorted(path.name for path in (tmp_path / "lab.records").iterdir())
    assert names == ["manifest.json", "store.json"]
