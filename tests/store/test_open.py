from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from tests.store.toy import NODE, new_store, sample
from virtuallab.errors import StoreError
from virtuallab.store import Store, open_tree
from virtuallab.store.layout.zarr_metadata import unconsolidate

WHERE_VIRTUALLAB_IS_ABSENT = """
import sys, warnings
warnings.simplefilter("error")
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "virtuallab":
            raise ImportError("virtuallab is not installed here")
sys.meta_path.insert(0, Absent())
import matplotlib
matplotlib.use("Agg")
import xarray as xr
tree = xr.open_datatree(sys.argv[1], engine="zarr")
ds = tree[sys.argv[2]].to_dataset()
assert ds.activity.attrs == {"units": "1", "long_name": "activation"}, ds.activity.attrs
one = ds.sel(subject="sub-0005")
assert one.activity.values[2, 2, 2] == 4
by_rule = ds.groupby("rule").mean()
assert float(by_rule.activity.sel(rule="feedback")[1, 1, 1]) == 3, by_rule
by_layer = ds.activity.groupby("unit_layer").mean()
assert float(by_layer.sel(unit_layer="fc2", subject="sub-0002")[1, 1]) == 1, by_layer
assert ds.isel(unit=(ds.unit_layer == "fc2").values).sizes["unit"] == 2
assert ds.activity.where(ds.rule == "backprop", drop=True).sizes["subject"] == 3
axes = one.activity.isel(stimulus=1, unit=2).plot()[0].axes
assert axes.get_ylabel() == "activation [1]", axes.get_ylabel()
assert axes.get_xlabel() == "visit", axes.get_xlabel()
assert tree.sel(subject="sub-0003")[sys.argv[2]].activity.values[1, 1, 1] == 2
print("opened")
"""


def test_plain_xarray_opens_it_where_virtuallab_is_not_installed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for index in range(6):
        store.write(NODE, index, sample(float(index)))
    # Never finished: a running experiment is read as well, and without a warning.
    arguments = [sys.executable, "-c", WHERE_VIRTUALLAB_IS_ABSENT, str(store.path), NODE]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.stdout.strip() == "opened", done.stderr


@pytest.mark.parametrize("consolidated", [True, False])
def test_coordinates_and_words_are_loaded_and_values_are_not(
    tmp_path: Path, consolidated: bool
) -> None:
    store = new_store(tmp_path)
    if not consolidated:
        unconsolidate(store.path)
    tree = open_tree(store.path)
    store.write(NODE, 0, sample(1.0))  # after the tree was opened
    dataset = tree[NODE].to_dataset()
    assert dataset["unit_layer"].values.tolist() == ["conv1"] * 3 + ["fc2"] * 2
    assert dataset["rule"].dtype == object
    assert tree["subjects"]["rule"].dtype == object
    on_disk = {name for name, coord in dataset.coords.items() if not coord.variable._in_memory}
    assert on_disk == {"unit_index"}, "each subject has its own, in a file of its own"
    assert not dataset["activity"].variable._in_memory
    assert np.isnan(dataset["activity"].values[1:]).all()
    assert dataset["activity"].values[0, 1, 1, 1] == 1
    assert tree.attrs["title"] == "test"


def test_an_opened_tree_takes_new_values_and_is_saved_elsewhere(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    dataset = open_tree(store.path)[NODE].to_dataset().sel(subject=["sub-0002", "sub-0005"])
    dataset.drop_encoding().drop_vars(["rule", "unit_layer", "subject"]).to_netcdf(
        tmp_path / "part.nc", engine="scipy"
    )
    with xr.open_dataset(tmp_path / "part.nc", engine="scipy") as part:
        assert part.sizes["subject"] == 2


def refused(path: Path, message: str) -> None:
    for opening in (Store.open, open_tree):
        with pytest.raises(StoreError, match=message):
            opening(path)


def test_a_missing_store_is_named_with_its_neighbours(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere" / "lab.zarr", "there is no experiment. Make one with")
    new_store(tmp_path)
    zarr.create_group(str(tmp_path / "lab.compare.zarr"), zarr_format=3)
    (tmp_path / "nested.zarr").mkdir()
    (tmp_path / "nested.zarr" / "zarr.json").write_text("[" * 100_000, encoding="utf-8")
    refused(tmp_path / "lba.zarr", r"there is no experiment\. In .*: lab\.zarr\. Make one")
    (tmp_path / "lab.zarr" / "zarr.json").write_text("{", encoding="utf-8")
    refused(tmp_path / "lba.zarr", r"there is no experiment\. In .*: lab\.zarr\. Make one")


def test_of_many_experiments_the_nearest_are_named(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    made = new_store(tmp_path / "made").path
    for number in range(20):
        shutil.copytree(made, tmp_path / f"other-{number:02d}.zarr")
    shutil.copytree(made, tmp_path / "zebra.zarr")
    with pytest.raises(StoreError) as refusal:
        open_tree(tmp_path / "zebar.zarr")
    said = str(refusal.value)
    assert f"In {tmp_path}: zebra.zarr, other-" in said
    assert "and 15 others. Make one" in said
    assert said.count("other-") == 5


def test_whatever_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.zarr").write_text("x", encoding="utf-8")
    refused(tmp_path / "file.zarr", "is a file; an experiment is a folder")
    (tmp_path / "empty.zarr").mkdir()
    refused(tmp_path / "empty.zarr", "is not an experiment of virtuallab")
    zarr.create_group(str(tmp_path / "theirs.zarr"), zarr_format=3)
    refused(tmp_path / "theirs.zarr", "is not an experiment of virtuallab")
    zarr.create_array(str(tmp_path / "array.zarr"), shape=(3,), dtype="f4", zarr_format=3)
    refused(tmp_path / "array.zarr", "is not an experiment of virtuallab")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b'{"attributes": 3}', b'{"attributes": {"virtuallab_schema": "a"}}',
     b"\xff\xfe\x00"],
)  # fmt: skip
def test_a_root_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.zarr"
    path.mkdir()
    (path / "zarr.json").write_bytes(content)
    refused(path, "is not an experiment of virtuallab")


def test_a_store_of_a_newer_version_says_to_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virtuallab.store.create.SCHEMA_VERSION", 99)
    newer = new_store(tmp_path).path
    refused(newer, "made by a newer virtuallab .schema 99, this one reads 1.. Update virtuallab")
