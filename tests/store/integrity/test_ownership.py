from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.store.toy import STAGE, contents, new_store, subjects
from virtuallab.errors import StoreError
from virtuallab.store import Store, create_store, open_tree, writer
from virtuallab.store.integrity.recovery import repair_root


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        ("lab.records/thesis.txt", "lab.records is in the way: .* something else"),
        ("lab.records/.aside/draft.txt", "lab.records is in the way"),
        ("lab.records/.lock", "lab.records is in the way"),
        ("lab.records/subjects/000000.json", "lab.records is in the way"),
        ("lab.records", "lab.records is a file"),
        ("elsewhere/kept.txt", "lab.records is a link"),
    ],
)
def test_what_is_not_ours_stays_and_is_named(tmp_path: Path, theirs: str, message: str) -> None:
    file = tmp_path / theirs
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("theirs")
    if "elsewhere" in theirs:
        (tmp_path / "lab.records").symlink_to(tmp_path / "elsewhere")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match=message):
        new_store(tmp_path)
    with pytest.raises(StoreError, match=message), writer(tmp_path / "lab.zarr", makes=True):
        pass
    assert contents(tmp_path) == before


def test_what_a_killed_beginning_left_is_no_obstacle(tmp_path: Path) -> None:
    new_store(tmp_path).path.rename(tmp_path / "lab.records" / "draft")
    records = tmp_path / "lab.records"
    (records / ".aside").mkdir()
    (records / "draft").rename(records / ".aside" / "lab.zarr")
    (records / ".lock").touch()
    (records / ".DS_Store").write_bytes(b"x")
    assert new_store(tmp_path).committed(STAGE) == {}


def test_records_of_another_store_are_not_taken_for_ones_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        create_store(
            tmp_path / f"{name}.zarr",
            subjects=subjects(),
            provenance={"protocol_sha256": name},
            plan={},
        )
    (tmp_path / "a.records").rename(tmp_path / "kept")
    (tmp_path / "b.records").rename(tmp_path / "a.records")
    with pytest.raises(StoreError, match=r"a\.records belongs to another experiment"):
        Store.open(tmp_path / "a.zarr")
    (tmp_path / "a.records").rename(tmp_path / "b.records")
    assert open_tree(tmp_path / "a.zarr")["subjects"].sizes == {"subject": 6}, "a reader needs none"


def test_a_damaged_mark_is_named_and_made_anew_from_the_manifest(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    mark = tmp_path / "lab.records" / "store.json"
    before = mark.read_bytes()
    mark.write_text("[]")
    (damage,) = Store.open(store.path).verify()
    assert damage.file == mark
    repair_root(store.path)
    assert mark.read_bytes() == before
    assert Store.open(store.path).verify() == []


def test_records_of_which_nothing_tells_whose_they_are_are_refused(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for name in ("store.json", "manifest.json"):
        (tmp_path / "lab.records" / name).write_text("[]")
    with pytest.raises(StoreError, match=r"does not say that it belongs to lab\.zarr"):
        Store.open(store.path)


def test_a_store_and_its_records_are_renamed_together(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.commit(STAGE, 0, {})
    store.path.rename(tmp_path / "other.zarr")
    (tmp_path / "lab.records").rename(tmp_path / "other.records")
    with writer(tmp_path / "other.zarr"):
        assert list(Store.open(tmp_path / "other.zarr").committed(STAGE)) == [0]


def test_the_mark_does_not_depend_on_where_a_store_was_made(tmp_path: Path) -> None:
    marks = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        new_store(tmp_path / name)
        marks.append(json.loads((tmp_path / name / "lab.records" / "store.json").read_text()))
    assert marks[0] == marks[1]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_folder_that_is_no_experiment_is_not_said_to_lack_its_records(tmp_path: Path) -> None:
    (tmp_path / "lab.zarr").mkdir()
    (tmp_path / "lab.zarr" / "theirs.txt").touch()
    before = contents(tmp_path)
    for makes in (True, False):
        with (
            pytest.raises(StoreError, match=r"lab\.zarr is not an experiment of virtuallab"),
            writer(tmp_path / "lab.zarr", makes=makes),
        ):
            pass
    assert contents(tmp_path) == before
    store = new_store(tmp_path / "real")
    (tmp_path / "real" / "lab.records").rename(tmp_path / "lost.records")
    with pytest.raises(StoreError, match=r"lab\.records is missing"), writer(store.path):
        pass


def test_what_does_not_exist_is_not_begun_to_be_written(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.path.rename(tmp_path / "moved.zarr")
    before = contents(tmp_path)
    for name, message in [
        ("nowhere.zarr", r"nowhere\.zarr: there is no experiment\. In "),
        ("nowhere", r"nowhere: there is no experiment\. In "),
        ("lab.zarr", r"Its records are there, .*lab\.records: it was moved or removed"),
        ("lab.records", r"lab\.records is not an experiment of virtuallab"),
    ]:
        with pytest.raises(StoreError, match=message), writer(tmp_path / name):
            pass
    assert contents(tmp_path) == before


def test_a_store_that_was_not_made_leaves_no_records(tmp_path: Path) -> None:
    with writer(tmp_path / "lab.zarr", makes=True):
        assert (tmp_path / "lab.records").is_dir()
    assert list(tmp_path.iterdir()) == []
