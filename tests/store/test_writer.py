"""Kill a writer at every kind of point: the same command again ends with the same bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.toy import NODE, STAGE, contents, new_store, sample, subjects
from virtuallab.store import Store, open_tree, writer

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


def probe(path: Path) -> None:
    """Do what ``virtuallab probe`` does."""
    with writer(path):
        store = Store.open(path)
        for node in ("recordings/new/mlp", "features/new"):
            store.declare(node, sample(), coords={"rule": subjects()["rule"]})
        for index in set(range(2)) - store.committed("probe-new").keys():
            nodes = ("recordings/new/mlp", "features/new")
            written = {node: store.write(node, index, sample(float(index))) for node in nodes}
            store.commit("probe-new", index, {"checksums": written})
        store.write_table("subjects", subjects())
        store.finish()


def remove(path: Path) -> None:
    """Do what ``virtuallab probe --remove`` does."""
    with writer(path):
        store = Store.open(path)
        store.remove("probe-new", ["features/new", "recordings/new"])
        store.finish()


def killed_at(point: int, command: Callable[[Path], None], path: Path) -> bool:
    """Run a command in a process that ends without a word at its n-th change of the disk."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 9
    left = [point]

    def count(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
        if event in _CHANGES or writes:
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

    try:
        sys.addaudithook(count)
        command(path)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    new_store(folder)
    probe(folder / "lab.zarr")
    return contents(folder / "lab.zarr")


def test_a_probe_killed_anywhere_ends_well_when_called_again(
    tmp_path: Path, whole: dict[str, bytes]
) -> None:
    killed, point = True, 0
    while killed:
        folder = tmp_path / str(point)
        folder.mkdir()
        path = new_store(folder).path
        killed = killed_at(point, probe, path)
        # Whoever looks meanwhile finds a store in which what is committed is whole.
        open_tree(path)
        seen = Store.open(path)
        assert seen.subjects.sizes == {"subject": 6}, point
        assert NODE in seen.nodes(), point
        assert seen.verify() == [], point
        probe(path)
        assert contents(path) == whole, point
        assert sorted(each.name for each in folder.iterdir()) == ["lab.records", "lab.zarr"]
        point += 43
    assert point > 150, "there were fewer points than there should be"


def test_a_removal_killed_anywhere_ends_well_when_called_again(tmp_path: Path) -> None:
    killed, point = True, 0
    while killed:
        folder = tmp_path / str(point)
        folder.mkdir()
        path = new_store(folder).path
        store = Store.open(path)
        store.commit(STAGE, 0, {"checksums": {NODE: store.write(NODE, 0, sample())}})
        store.write_table("subjects", subjects())
        store.finish()
        before = contents(path)
        probe(path)
        killed = killed_at(point, remove, path)
        assert Store.open(path).verify() == [], point
        remove(path)
        assert contents(path) == before, point
        records = {each.name for each in (folder / "lab.records").iterdir()}
        assert records == {".lock", "manifest.json", "store.json", STAGE}, point
        point += 31
    assert point > 60, "there were fewer points than there should be"
