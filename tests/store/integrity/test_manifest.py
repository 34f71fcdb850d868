"""The manifest: valid versions of nodes, and the files that match none of them."""

from __future__ import annotations

from pathlib import Path

from virtuallab.store.integrity.manifest import Manifest, changed_files, digests


def node(folder: Path) -> Path:
    folder.mkdir()
    (folder / "zarr.json").write_text("{}")
    (folder / "values").write_text("1")
    return folder


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = Manifest(tmp_path / "manifest.json", {"attributes": {"a": 1}}, "x", {"n": [None]})
    written.write()
    assert Manifest.read(tmp_path) == written
    assert written.attributes == {"a": 1}


def test_only_the_last_version_is_kept(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "m", nodes={"a": [{"f": "1"}, {"f": "2"}], "b": [{}, None]})
    manifest.keep_last("a")
    manifest.keep_last("b")
    assert manifest.nodes == {"a": [{"f": "2"}]}
    assert manifest.versions("b") == (None,)


def test_a_changed_or_missing_file_is_named(tmp_path: Path) -> None:
    folder = node(tmp_path / "n")
    now = digests(folder)
    assert changed_files(folder, [now]) == []
    (folder / "values").write_text("2")
    assert changed_files(folder, [now]) == ["values"]
    (folder / "zarr.json").unlink()
    assert changed_files(folder, [now]) == ["values", "zarr.json"]


def test_of_several_versions_any_may_be_there(tmp_path: Path) -> None:
    folder = node(tmp_path / "n")
    before = digests(folder)
    (folder / "values").write_text("2")
    after = digests(folder)
    assert changed_files(folder, [before, after]) == []
    assert changed_files(tmp_path / "missing", [after, None]) == []
    (folder / "values").write_text("3")
    assert changed_files(folder, [before, after, None]) == ["values"]
