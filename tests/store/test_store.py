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
from virtuallab.store import Store, open_tree, writer
from virtuallab.store.layout.zarr_metadata import unconsolidate


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


MANY = 64


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


def finish(store: Store) -> None:
    store.write_table("subjects", store.subjects.assign(status=("subject", np.ones(6, np.int8))))
    store.write_table("decoding/main", sample().mean("unit"))
    store.finish()


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
    first, second = map(str, store.verify())
    run = f"To make it anew: virtuallab run PROTOCOL.yaml --store {store.path}"
    assert first == f"{torn} (sub-0002) is damaged: it is not what was written. {run}"
    assert second == f"{other} (sub-0003) is damaged: it is not what was written. {run}"
    shutil.rmtree(store.path / NODE)
    # Without their metadata the chunks cannot be asked one by one.
    assert {each.file.parent for each in Store.open(store.path).verify()} >= {store.path / NODE}


def test_a_stage_is_removed_with_its_nodes_and_leaves_no_trace(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    write_and_commit(str(store.path), [0, 1])
    store.finish()
    before = contents(tmp_path)
    store.declare("features/utah", sample())
    store.commit(
        "probe-x", 0, {"checksums": {"features/utah": store.write("features/utah", 0, sample())}}
    )
    store.remove("probe-x", ["features/utah", "recordings/nothing"])
    assert store.committed("probe-x") == {}
    assert store.nodes() == [NODE, "subjects"]
    assert contents(tmp_path) == before


def test_a_store_reached_by_a_link_to_another_disk(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second disk")
    with TemporaryDirectory(dir=elsewhere) as other:
        store = new_store(tmp_path)
        shutil.move(store.path, Path(other) / "lab.zarr")
        store.path.symlink_to(Path(other) / "lab.zarr")
        with writer(store.path):
            again = Store.open(store.path)
            again.write_table("subjects", subjects())
            again.finish()
        xr.testing.assert_identical(Store.open(store.path).subjects.load(), subjects())
        assert [each.name for each in Path(other).iterdir()] == ["lab.zarr"]


def test_a_store_reached_by_a_link_has_its_records_where_it_lies(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.commit(STAGE, 0, {})
    link = tmp_path / "here" / "mine.zarr"
    link.parent.mkdir()
    link.symlink_to(store.path)
    assert list(Store.open(link).committed(STAGE)) == [0]


def test_files_of_systems_and_copies_of_sync_clients_are_passed_over(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    write_and_commit(str(store.path), [0])
    records = tmp_path / "lab.records"
    for folder in (store.path, store.path / "recordings", records / STAGE, records):
        for name in (".DS_Store", "._x", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"\0x")
    for name in ("000000 2.json", "000000 (conflicted copy).json", "1.json"):
        (records / STAGE / name).write_text("{")
    shutil.copytree(records / STAGE, records / f"{STAGE} 2")
    store = Store.open(store.path)  # warnings are errors here
    assert store.nodes() == [NODE, "subjects"]
    assert list(store.committed(STAGE)) == [0]
    assert store.verify() == []
    unconsolidate(store.path)
    assert set(open_tree(store.path)) == {"recordings", "subjects"}
    store.finish()
    assert set(open_tree(store.path)) == {"recordings", "subjects"}


def test_only_what_a_killed_writer_left_is_swept_up(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    theirs = [store.path / "notes.tmp", store.path / NODE / "movie.partial"]
    ours = [
        store.path / NODE / "activity" / "c.0.0.0.0123abcd.partial",
        store.path / NODE / "zarr.0123abcd.partial",
        store.path / "zarr.json.12.34.tmp",
    ]
    for file in (*theirs, *ours):
        file.write_text("x")
    store.finish()
    assert [file.exists() for file in (*theirs, *ours)] == [True] * 2 + [False] * 3


def test_a_store_without_its_records_is_refused(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    (tmp_path / "lab.records").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"lab\.records is missing. It belongs beside lab\.zarr"):
        Store.open(store.path)
