from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from virtuallab.errors import MachineError, StoreError
from virtuallab.store import Store, open_tree
from virtuallab.store.provenance import provenance

MANY = 64
NODE = "recordings/utah/knet4"


def words(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def subjects(count: int = 6) -> xr.Dataset:
    rules = [("backprop", "feedback")[index % 2] for index in range(count)]
    return xr.Dataset(
        {"rule": ("subject", words(*rules)), "learning_rate": ("subject", np.arange(count) / 10)},
        coords={"subject": words(*(f"sub-{index + 1:04d}" for index in range(count)))},
    )


def sample(fill: float = 0.0) -> xr.Dataset:
    values = np.full((3, 4, 5), fill, dtype=np.float32)
    values[0, 0, 0] = np.nan
    return xr.Dataset(
        {
            "activity": (("visit", "stimulus", "unit"), values),
            "unit_index": ("unit", np.arange(5)),
        },
        coords={
            "visit": np.arange(3),
            "step": ("visit", np.array([0, 10, 20])),
            "unit_layer": ("unit", words("conv1", "conv1", "conv1", "fc2", "fc2")),
        },
    )


def store(path: Path, count: int = 6) -> Store:
    made = Store.create(
        path / "lab.zarr", subjects=subjects(count), provenance={"title": "test"}, plan={"a": [1]}
    )
    made.declare(NODE, sample(), coords={"rule": subjects(count)["rule"]})
    return made


def test_what_was_written_is_read(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for index in range(6):
        kept.write(NODE, index, sample(float(index)))
    again = Store.open(tmp_path / "lab.zarr")
    assert again.plan == {"a": [1]}
    assert again.provenance["title"] == "test"
    one = again.read(NODE, 4)
    np.testing.assert_array_equal(one["activity"], sample(4.0)["activity"])
    everyone = again.read(NODE)
    assert everyone["activity"].dims == ("subject", "visit", "stimulus", "unit")
    assert everyone.sel(subject="sub-0003")["activity"].values[2, 3, 4] == 2


@pytest.mark.parametrize(
    ("subject", "change", "message"),
    [
        (0, lambda ds: ds.isel(unit=slice(4)), "takes"),
        (0, lambda ds: ds.astype(np.float64), "takes"),
        (0, lambda ds: ds.drop_vars("activity"), "holds"),
        (0, lambda ds: ds.assign(more=("unit", np.zeros(5))), "holds"),
        (6, lambda ds: ds, "subjects 0 to 5, not 6"),
        (-1, lambda ds: ds, "not -1"),
    ],
)
def test_the_writer_takes_one_whole_chunk_and_nothing_else(  # type: ignore[no-untyped-def]
    tmp_path: Path, subject: int, change, message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        store(tmp_path).write(NODE, subject, change(sample()))


def test_an_array_that_shares_chunks_is_refused(tmp_path: Path) -> None:
    kept = store(tmp_path)
    group = zarr.open_group(str(kept.path), mode="r+", use_consolidated=False)
    del group[f"{NODE}/activity"]
    group.create_array(
        f"{NODE}/activity", shape=(6, 3, 4, 5), chunks=(2, 3, 4, 5), dtype="f4",
        dimension_names=("subject", "visit", "stimulus", "unit"),
    )  # fmt: skip
    with pytest.raises(StoreError, match="one chunk a subject"):
        Store.open(kept.path).write(NODE, 0, sample())


def test_declaring_twice_is_nothing_and_declaring_otherwise_is_refused(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.declare(NODE, sample(), coords={"rule": subjects()["rule"]})
    with pytest.raises(StoreError, match="activity is stored as"):
        kept.declare(NODE, sample().isel(stimulus=slice(2)))


def _write_some(path: str, indices: list[int]) -> None:
    kept = Store.open(Path(path))
    for index in indices:
        kept.commit("record", index, {"checksums": {NODE: kept.write(NODE, index, sample(index))}})


def test_four_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    kept = store(tmp_path, MANY)
    context = multiprocessing.get_context("spawn")
    shares = [list(range(start, MANY, 4)) for start in range(4)]
    workers = [
        context.Process(target=_write_some, args=(str(kept.path), share)) for share in shares
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    values = Store.open(kept.path).read(NODE)["activity"].values
    np.testing.assert_array_equal(values[:, 1, 1, 1], np.arange(MANY))
    assert sorted(kept.committed("record")) == list(range(MANY))
    assert kept.verify() == []


def _bytes(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def test_the_order_of_writing_leaves_no_trace(tmp_path: Path) -> None:
    stores = []
    for name, order in (("a", range(6)), ("b", (3, 5, 0, 1, 4, 2, 3))):
        (tmp_path / name).mkdir()
        kept = store(tmp_path / name)
        for index in order:
            kept.write(NODE, index, sample(float(index)))
        kept.write_table("features", sample().mean("unit"))
        kept.finish()
        stores.append(_bytes(kept.path))
    assert stores[0] == stores[1]


def test_a_table_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.write_table("decoding/main", xr.Dataset({"old": ("a", np.arange(3.0))}))
    kept.write_table("decoding/main", xr.Dataset({"new": ("a", np.arange(4.0))}))
    assert list(kept.read("decoding/main")) == ["new"]
    assert kept.read("decoding/main").sizes == {"a": 4}


def test_damage_is_found_and_named(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for index in range(3):
        record = {"checksums": {NODE: kept.write(NODE, index, sample(float(index)))}}
        kept.commit("record", index, record)
    chunk = kept.path / NODE / "activity" / "c.1.0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-7])
    (damage,) = kept.verify()
    assert damage.startswith(f"{NODE}/activity of subject 1 is not what was written. Remove ")
    assert "lab.records/record/000001.json, and the same command makes it again." in damage


def test_plain_xarray_opens_it_where_virtuallab_is_not_installed(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for index in range(6):
        kept.write(NODE, index, sample(float(index)))
    kept.finish()
    script = f"""
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
tree = xr.open_datatree({str(kept.path)!r}, engine="zarr")
ds = tree[{NODE!r}].to_dataset()
assert ds.activity.attrs == {{"units": "1", "long_name": "response"}}, ds.activity.attrs
one = ds.sel(subject="sub-0005")
assert one.activity.values[2, 2, 2] == 4
by_rule = ds.activity.groupby("rule").mean()
assert float(by_rule.sel(rule="feedback")[1, 1, 1]) == 3, by_rule
assert ds.isel(unit=(ds.unit_layer == "fc2").values).sizes["unit"] == 2
axes = one.activity.isel(stimulus=1, unit=2).plot()[0].axes
assert axes.get_ylabel() == "response [1]", axes.get_ylabel()
print("opened")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "opened", done.stderr


def test_an_unfinished_store_opens_with_words_as_words(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.write(NODE, 0, sample(1.0))
    tree = open_tree(kept.path)
    dataset = tree[NODE].to_dataset()
    assert dataset["unit_layer"].values.tolist() == ["conv1"] * 3 + ["fc2"] * 2
    assert dataset["rule"].dtype == object
    assert np.isnan(dataset["activity"].values[1:]).all()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_plainly_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    kept = store(tmp_path)
    kept.commit("record", 0, {"checksums": {NODE: kept.write(NODE, 0, sample(1.0))}})

    def full(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(MachineError, match=r"disk is full.*same command.*goes on"):
            kept.write(NODE, 1, sample(2.0))
    with monkeypatch.context() as patch:
        patch.setattr("virtuallab.store.records.write_json", full)
        with pytest.raises(MachineError, match="disk is full"):
            kept.commit("record", 1, {})
    kept.commit("record", 1, {"checksums": {NODE: kept.write(NODE, 1, sample(2.0))}})
    assert kept.verify() == []
    assert sorted(kept.committed("record")) == [0, 1]


def test_a_killed_writer_leaves_a_store_that_opens_and_verifies(tmp_path: Path) -> None:
    kept = store(tmp_path, MANY)
    script = (
        "from tests.store.test_store import _write_some\n"
        f"_write_some({str(kept.path)!r}, list(range({MANY})))"
    )
    worker = subprocess.Popen([sys.executable, "-c", script])
    while len(kept.committed("record")) < 5 and worker.poll() is None:
        time.sleep(0.005)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    again = Store.open(kept.path)
    done = again.committed("record")
    assert len(done) >= 5
    assert again.verify() == []
    for index in set(range(MANY)) - set(done):
        again.write(NODE, index, sample(index))
    values = again.read(NODE)["activity"].values
    np.testing.assert_array_equal(values[:, 1, 1, 1], np.arange(MANY))


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.commit("record", 0, {})
    path = tmp_path / "lab.records" / "record" / "000000.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(MachineError, match=r"000000\.json is damaged. Remove it"):
        kept.committed("record")


def test_whatever_is_no_store_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no experiment"):
        Store.open(tmp_path / "none.zarr")
    (tmp_path / "file.zarr").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "file.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(StoreError, match="is not an experiment"):
        open_tree(tmp_path / "empty.zarr")
    zarr.create_group(str(tmp_path / "theirs.zarr"))
    with pytest.raises(StoreError, match="is not an experiment"):
        Store.open(tmp_path / "theirs.zarr")
    newer = store(tmp_path).path
    attributes = json.loads((newer / "zarr.json").read_text("utf-8"))
    attributes["attributes"]["virtuallab_schema"] = 99
    (newer / "zarr.json").write_text(json.dumps(attributes), encoding="utf-8")
    with pytest.raises(StoreError, match="newer virtuallab"):
        Store.open(newer)


def test_a_store_without_its_records_is_refused(tmp_path: Path) -> None:
    kept = store(tmp_path)
    (tmp_path / "lab.records").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"lab\.records is missing"):
        Store.open(kept.path)


def test_an_existing_store_is_never_made_again(tmp_path: Path) -> None:
    store(tmp_path)
    with pytest.raises(StoreError, match="exists already"):
        store(tmp_path)


def test_provenance_says_what_ran() -> None:
    found = provenance(
        text="# why\nname: x", resolved='{"name": "x"}', title="x", summary="Why?", seed=7
    )
    assert found["protocol_yaml"].startswith("# why")
    assert json.loads(found["versions"])["torch"].startswith("2.")
    assert found["summary"] == "Simulated data. Why?"
    assert str(Path.home()) not in json.dumps(found)
