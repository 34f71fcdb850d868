"""Files that hold no subject's values, compared with the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.store.toy import NODE, TABLE
from virtuallab.store.integrity.manifest import Manifest
from virtuallab.store.integrity.static_files import StaticFiles, with_parents
from virtuallab.store.layout.location import records_folder


def static_files(folder: Path) -> StaticFiles:
    store = folder / "lab.zarr"
    return StaticFiles(store, Manifest.read(records_folder(store)))


def test_an_undamaged_store_has_no_damage_and_lists_all_its_arrays(folder: Path) -> None:
    files = static_files(folder)
    assert list(files.damage()) == []
    assert list(files.root_damage()) == []
    assert files.unlisted() == []


def test_damage_of_a_node_names_its_file_and_its_command(folder: Path) -> None:
    files = static_files(folder)
    file = folder / "lab.zarr" / TABLE / "zarr.json"
    file.write_text("{}")
    (folder / "lab.zarr" / NODE / "zarr.json").unlink()
    changed, missing = sorted(files.damage(), key=lambda each: str(each.file))
    assert changed.file == file
    assert changed.problem == "is damaged: it is not what was written"
    assert changed.command == f"virtuallab decode {folder / 'lab.zarr'}"
    assert missing.problem == "is missing"
    assert missing.command == files.repair_command(NODE)
    assert list(files.damage([TABLE])) == [changed], "of the nodes that are named only"


def test_a_root_without_consolidated_metadata_is_not_damaged(folder: Path) -> None:
    files, root = static_files(folder), folder / "lab.zarr" / "zarr.json"
    content = json.loads(root.read_bytes())
    assert content.pop("consolidated_metadata")
    root.write_text(json.dumps(content))
    assert list(files.root_damage()) == []
    root.write_text(json.dumps({**content, "attributes": {"title": "another"}}))
    [damage] = files.root_damage()
    assert damage.file == root
    assert damage.command == f"virtuallab run PROTOCOL.yaml --store {folder / 'lab.zarr'}"


def test_while_the_tree_changes_only_the_roots_own_content_counts(folder: Path) -> None:
    files, root = static_files(folder), folder / "lab.zarr" / "zarr.json"
    content = json.loads(root.read_bytes())
    content["consolidated_metadata"]["metadata"] = {}
    root.write_text(json.dumps(content))
    assert [each.file for each in files.root_damage()] == [root]
    files.manifest.root_digest = None
    assert list(files.root_damage()) == []
    root.write_text("{")
    assert [each.file for each in files.root_damage()] == [root]


def test_a_node_with_arrays_that_is_not_listed_is_found(folder: Path) -> None:
    files = static_files(folder)
    shutil.copytree(folder / "lab.zarr" / TABLE, folder / "lab.zarr" / "decoding" / "copied")
    assert files.unlisted() == ["decoding/copied"]
    damage = files.unlisted_damage("decoding/copied")
    assert damage.file == folder / "lab.zarr" / "decoding" / "copied"
    assert str(files.manifest.file) in damage.problem


def test_folders_without_metadata_of_an_array_are_no_nodes(folder: Path) -> None:
    notes = folder / "lab.zarr" / "notes" / "of mine"
    notes.mkdir(parents=True)
    (notes / "zarr.json").write_text("not JSON")
    assert static_files(folder).unlisted() == []


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([], []),
        (["a"], ["a"]),
        (["a/b/c", "a/d"], ["a", "a/b", "a/b/c", "a/d"]),
    ],
)
def test_groups_stand_before_the_nodes_below_them(nodes: list[str], expected: list[str]) -> None:
    assert with_parents(nodes) == expected
