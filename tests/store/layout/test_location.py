from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.toy import new_store, subjects
from virtuallab.errors import StoreError
from virtuallab.store import create_store, writer


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("x::y/lab.zarr", "'::' in a path"),
        ("/", "cannot be an experiment: give its folder"),
        ("s3://bucket/lab.zarr", "is an address"),
        ("memory://lab.zarr", "is an address"),
        ("file:///tmp/lab.zarr", "is an address"),
        ("file.txt/lab.zarr", r"file\.txt is a file"),
        ("file.txt/more/lab.zarr", r"file\.txt is a file"),
        ("dangling/lab.zarr", "dangling is a link to nothing"),
        ("lab", r"ends in \.zarr"),
        ("link.zarr", "is a link to .*nowhere"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.txt").write_text("theirs")
    Path("dangling").symlink_to("nowhere")
    Path("link.zarr").symlink_to("nowhere")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=message), writer(Path(path), makes=True):
        pass
    if path != "link.zarr":
        with pytest.raises(StoreError, match=message):
            create_store(Path(path), subjects=subjects(), provenance={}, plan={})
    assert sorted(tmp_path.iterdir()) == before


def test_a_working_folder_with_colons_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a::b").mkdir()
    monkeypatch.chdir(tmp_path / "a::b")
    with pytest.raises(StoreError, match="'::' in a path"):
        new_store(Path())


@pytest.mark.parametrize("place", ["lab.zarr", "lab.records", "lab.zarr/more", "linked"])
def test_no_store_is_made_inside_another(tmp_path: Path, place: str) -> None:
    new_store(tmp_path)
    (tmp_path / "linked").symlink_to("lab.records")
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises(StoreError, match=r"inside the experiment lab\.zarr"),
        writer(tmp_path / place / "other.zarr", makes=True),
    ):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_such_a_name_is_no_store(tmp_path: Path) -> None:
    place = tmp_path / "all.zarr" / "more.records" / "other.zarr"
    with writer(place, makes=True):
        assert place.with_name("other.records").is_dir()
