from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import xarray as xr

from tests.store.toy import new_store, subjects
from virtuallab.store import Store
from virtuallab.store.files.atomic_replace import replace_node, restore_interrupted


def test_a_kill_between_the_two_renames_is_undone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    aside = tmp_path / "lab.records" / ".aside"
    for node in ("subjects", "recordings/utah/knet4"):
        old, new = aside / "old" / node, aside / "new" / node
        old.parent.mkdir(parents=True, exist_ok=True)
        (store.path / node).rename(old)
        shutil.copytree(old, new)
    again = Store.open(store.path)
    xr.testing.assert_identical(again.subjects.load(), subjects())
    assert again.nodes() == ["recordings/utah/knet4", "subjects"]
    again.write_table("subjects", subjects())
    assert not aside.exists()


def test_what_was_replaced_well_is_not_put_back(tmp_path: Path) -> None:
    place, aside = tmp_path / "tree" / "node", tmp_path / "aside"
    (aside / "old" / "node").mkdir(parents=True)
    (aside / "old" / "node" / "zarr.json").write_text("old", encoding="utf-8")
    place.mkdir(parents=True)
    (place / "zarr.json").write_text("new", encoding="utf-8")
    restore_interrupted(tmp_path / "tree", aside)
    assert (place / "zarr.json").read_text("utf-8") == "new"


def test_a_node_that_could_not_be_built_leaves_the_old_one(tmp_path: Path) -> None:
    place = tmp_path / "tree" / "node"
    place.mkdir(parents=True)
    (place / "zarr.json").write_text("old", encoding="utf-8")

    def build_and_fail() -> None:
        with replace_node(tmp_path / "tree", "node", tmp_path / "aside") as folder:
            folder.mkdir()
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        build_and_fail()
    assert (place / "zarr.json").read_text("utf-8") == "old"
    with replace_node(tmp_path / "tree", "node", tmp_path / "aside") as folder:
        folder.mkdir()
    assert list(place.iterdir()) == []
    assert not (tmp_path / "aside").exists()
