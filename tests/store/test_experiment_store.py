from __future__ import annotations

import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.toy import (
    NODE,
    STAGE,
    contents,
    declare,
    new_store,
    sample,
    subjects,
    write_and_commit,
)
from virtuallab.errors import StoreError
from virtuallab.store import Store

MANY = 64


def test_what_was_written_is_read(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for index in range(6):
        store.write(NODE, index, sample(float(index)))
    again = Store.open(tmp_path / "lab.zarr")
    assert again.plan == {"a": [1]}
    assert again.provenance["title"] == "test"
    np.testing.assert_array_equal(again.read(NODE, 4)["activity"], sample(4.0)["activity"])
    everyone = again.read(NODE)
    assert everyone["activity"].dims == ("subject", "visit", "stimulus", "unit")
    assert everyone.sel(subject="sub-0003")["activity"].values[2, 3, 4] == 2


def test_four_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path, MANY)
    context = multiprocessing.get_context("spawn")
    # Neighbours go to different processes: a chunk they shared would be torn.
    shares = [list(range(start, MANY, 4)) for start in range(4)]
    workers = [
        context.Process(target=write_and_commit, args=(str(store.path), share)) for share in shares
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    values = Store.open(store.path).read(NODE)["activity"].values
    np.testing.assert_array_equal(values[:, 1, 1, 1], np.arange(MANY))
    assert sorted(store.committed(STAGE)) == list(range(MANY))
    assert store.verify() == []


def test_threads_share_one_store(tmp_path: Path) -> None:
    store = new_store(tmp_path, MANY)

    def work(index: int) -> None:
        store.commit(STAGE, index, {"checksums": {NODE: store.write(NODE, index, sample(index))}})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(MANY)))
    values = store.read(NODE)["activity"].values
    np.testing.assert_array_equal(values[:, 1, 1, 1], np.arange(MANY))
    assert store.verify() == []


@settings(max_examples=5, deadline=None)
@given(
    order=st.permutations(range(6)),
    abandoned=st.lists(st.tuples(st.integers(0, 5), st.floats(-9, 9, width=32)), max_size=6),
    begun_again=st.integers(0, 6),
)
def test_no_interruption_and_no_order_leaves_a_trace(
    order: list[int], abandoned: list[tuple[int, float]], begun_again: int
) -> None:
    with TemporaryDirectory() as straight, TemporaryDirectory() as winding:
        store = new_store(Path(straight))
        for index in range(6):
            store.write(NODE, index, sample(float(index)))
        finish(store)
        broken = new_store(Path(winding))
        for index, value in abandoned:  # chunks without a record
            broken.write(NODE, index, sample(value))
        (broken.path / NODE / "activity" / "c.0.0.0.deadbeef.partial").write_bytes(b"half")
        broken.write_table("decoding/main", xr.Dataset({"old": ("a", np.arange(3.0))}))
        broken.finish()
        for position, index in enumerate(order):
            if position == begun_again:
                broken = Store.open(broken.path)
                declare(broken)
            broken.write(NODE, index, sample(float(index)))
        finish(broken)
        assert contents(store.path) == contents(broken.path)


def finish(store: Store) -> None:
    store.write_table("subjects", store.subjects.assign(status=("subject", np.ones(6, np.int8))))
    store.write_table("decoding/main", sample().mean("unit"))
    store.finish()


def test_a_killed_writer_leaves_a_store_that_opens_and_verifies(tmp_path: Path) -> None:
    many = 300  # so that a slow machine kills it in time
    store = new_store(tmp_path, many)
    script = (
        "from tests.store.toy import write_and_commit\n"
        f"write_and_commit({str(store.path)!r}, list(range({many})))"
    )
    worker = subprocess.Popen([sys.executable, "-c", script])
    while len(store.committed(STAGE)) < 5 and worker.poll() is None:
        time.sleep(0.002)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    again = Store.open(store.path)
    done = again.committed(STAGE)
    assert 5 <= len(done) < many, "killed too late to prove a thing"
    assert again.verify() == []
    went_on = sorted(set(range(many)) - set(done))[:5]
    write_and_commit(str(store.path), went_on)
    values = again.read(NODE)["activity"].values[:, 1, 1, 1]
    there = [*done, *went_on]
    np.testing.assert_array_equal(values[there], there)
    assert again.verify() == []


def test_damage_is_found_and_named(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    write_and_commit(str(store.path), [0, 1, 2])
    torn = store.path / NODE / "activity" / "c.1.0.0.0"
    torn.write_bytes(torn.read_bytes()[:-7])
    other = store.path / NODE / "activity" / "c.2.0.0.0"
    other.write_bytes((store.path / NODE / "activity" / "c.0.0.0.0").read_bytes())
    first, second = store.verify()
    assert first.startswith(f"{NODE}/activity of subject 1 is not what was written. Remove ")
    assert f"lab.records/{STAGE}/000001.json, and the same command makes it again." in first
    assert second.startswith(f"{NODE}/activity of subject 2 is not what was written.")
    shutil.rmtree(store.path / NODE)
    assert len(Store.open(store.path).verify()) == 6


def test_an_existing_store_is_never_made_again(tmp_path: Path) -> None:
    new_store(tmp_path).commit(STAGE, 0, {})
    with pytest.raises(StoreError, match="exists already"):
        new_store(tmp_path)
    assert list(Store.open(tmp_path / "lab.zarr").committed(STAGE)) == [0]


def test_a_removed_store_leaves_no_records_to_the_next(tmp_path: Path) -> None:
    first = new_store(tmp_path)
    first.commit(STAGE, 0, {})
    first.path.rename(tmp_path / "gone")
    assert new_store(tmp_path).committed(STAGE) == {}


def test_a_store_is_called_zarr(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"ends in \.zarr; call it .*/trial\.1\.zarr"):
        Store.create(tmp_path / "trial.1", subjects=subjects(), provenance={}, plan={})
    assert list(tmp_path.iterdir()) == []


def test_stores_with_a_dot_in_their_name_keep_their_own_records(tmp_path: Path) -> None:
    for name in ("trial.1.zarr", "trial.2.zarr"):
        Store.create(tmp_path / name, subjects=subjects(), provenance={}, plan={})
    Store.open(tmp_path / "trial.1.zarr").commit(STAGE, 0, {})
    assert Store.open(tmp_path / "trial.2.zarr").committed(STAGE) == {}


def test_a_store_without_its_records_is_refused(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    (tmp_path / "lab.records").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"lab\.records is missing. It belongs beside lab\.zarr"):
        Store.open(store.path)
