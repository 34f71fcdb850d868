"""Copies of stores without some nodes are complete, or not there."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from tests.store.toy import CHUNK, NODE, STAGE, TABLE, contents, flip
from virtuallab.errors import MachineError, StoreError
from virtuallab.store import Store, copy_store, writer
from virtuallab.store.layout.location import records_folder

WITHOUT = ("decoding",)


@pytest.fixture
def lab(folder: Path) -> Path:
    return folder / "lab.zarr"


def test_a_copy_without_nodes_is_sound_and_says_what_was_left_out(lab: Path) -> None:
    source, before = Store.open(lab), contents(lab.parent)
    copy = copy_store(source, lab.with_name("copy.zarr"), without=WITHOUT)
    assert copy.verify() == []
    assert copy.nodes() == [node for node in source.nodes() if node != TABLE]
    assert (copy.left_out, source.left_out) == (WITHOUT, ())
    for index in source.committed(STAGE):
        np.testing.assert_array_equal(
            copy.read(NODE, index)["activity"], source.read(NODE, index)["activity"]
        )
    now = contents(lab.parent)
    assert {name: now[name] for name in before} == before


def test_a_copy_of_a_store_that_is_read_only_can_be_written(lab: Path) -> None:
    for path in [lab, *lab.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    copy = copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    assert all(path.stat().st_mode & 0o200 for path in [copy.path, *copy.path.rglob("*")])


def test_a_file_that_cannot_be_read_is_named(lab: Path) -> None:
    (lab / "lost").symlink_to("nowhere")
    before = contents(lab.parent)
    with pytest.raises(MachineError, match=r"lab\.zarr/lost cannot be read \(No such file"):
        copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    assert contents(lab.parent) == before


def test_records_of_nodes_that_are_left_out_are_not_missed(lab: Path) -> None:
    copy = copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=("recordings",))
    assert copy.verify() == []
    assert copy.committed(STAGE)[0]["checksums"] == {}


def test_a_copy_can_be_written_into(lab: Path) -> None:
    copy = copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    with writer(copy.path):
        copy.write_table(TABLE, Store.open(lab).read(TABLE).load())
    assert Store.open(copy.path).verify() == []


@pytest.mark.parametrize("name", ["copy.zarr", "copy.records"])
def test_what_exists_is_left_alone(lab: Path, name: str) -> None:
    (lab.with_name(name)).mkdir()
    with pytest.raises(StoreError, match="exists already"):
        copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    assert list(lab.with_name(name).iterdir()) == []


def test_a_copy_is_called_zarr_and_lies_outside(lab: Path) -> None:
    with pytest.raises(StoreError, match=r"ends in \.zarr"):
        copy_store(Store.open(lab), lab.with_name("copy"), without=WITHOUT)
    for place in (lab, records_folder(lab)):
        with pytest.raises(StoreError, match=r"inside the experiment lab\.zarr"):
            copy_store(Store.open(lab), place / "copy.zarr", without=WITHOUT)


def test_a_damaged_store_is_not_copied(lab: Path) -> None:
    flip(lab.parent / CHUNK, 40, 3)
    before = contents(lab.parent)
    with pytest.raises(MachineError, match=r"damaged \(1 files\).*status .*lab\.zarr --verify"):
        copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    assert contents(lab.parent) == before


def test_a_full_disk_leaves_nothing(lab: Path) -> None:
    before = contents(lab.parent)
    full = mock.patch.object(shutil, "copyfileobj", side_effect=OSError(errno.ENOSPC, "full"))
    with full, pytest.raises(MachineError, match="disk is full"):
        copy_store(Store.open(lab), lab.with_name("copy.zarr"), without=WITHOUT)
    assert contents(lab.parent) == before
    assert {path.name for path in lab.parent.iterdir()} == {"lab.zarr", "lab.records"}
