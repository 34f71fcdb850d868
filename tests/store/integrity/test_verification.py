from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from tests.store.toy import CHUNK, NODE, STAGE, TABLE, flip, verdict
from virtuallab.errors import MachineError, VirtuallabError
from virtuallab.store import Store, open_tree
from virtuallab.store.integrity.verification import verify_bytes


def named(folder: Path) -> list[str]:
    """Files that verifying names, whatever state the store is in."""
    path = folder / "lab.zarr"
    try:
        found = Store.open(path).verify()
    except MachineError:
        found = verify_bytes(path)
    return [str(each.file.relative_to(folder)) for each in found]


def kinds(folder: Path) -> list[str]:
    """Every file of the store and its records."""
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


def test_a_sound_store_has_no_damage_and_every_file_is_looked_after(folder: Path) -> None:
    assert named(folder) == []
    files = kinds(folder)
    assert {CHUNK, "lab.zarr/zarr.json", "lab.zarr/recordings/zarr.json"} <= set(files)
    assert {"lab.zarr/subjects/rule/c/0", "lab.records/manifest.json"} <= set(files)


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "flipped bit": lambda file, draw: flip(file, draw.randrange(10**6), draw.randrange(8)),
    "cut": lambda file, draw: (
        file.write_bytes(file.read_bytes()[: draw.randrange(file.stat().st_size)]) and None
    ),
    "emptied": lambda file, _: file.write_bytes(b"") and None,
    "zeros": lambda file, _: file.write_bytes(bytes(file.stat().st_size)) and None,
    "deleted": lambda file, _: file.unlink(),
}


def outcome(read: Callable[[Path], xr.Dataset], folder: Path) -> xr.Dataset | None:
    """What is read, or None where it is refused in the words of the package."""
    try:
        return read(folder / "lab.zarr").load()
    except VirtuallabError:
        return None


# What a decoder, a report and a probe read: values, tables, one subject, a whole tree.
READINGS: tuple[Callable[[Path], xr.Dataset], ...] = (
    lambda path: Store.open(path).read_values(NODE, [0, 1, 2]),
    lambda path: Store.open(path).read(TABLE),
    lambda path: Store.open(path).read(NODE, 1),
    lambda path: open_tree(path)["subjects"].to_dataset(),
)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_of_every_kind_of_file_is_named_and_never_read(
    folder: Path, sound: Path, kind: str
) -> None:
    draw = random.Random(kind)
    before = [read(sound / "lab.zarr").load() for read in READINGS]
    files = kinds(folder)
    if kind != "flipped bit":  # each kind of damage in other files
        always = {CHUNK, "lab.zarr/zarr.json", "lab.records/manifest.json"}
        files = sorted(always | set(draw.sample(files, 10)))
    for file in files:
        DAMAGES[kind](folder / file, draw)
        if kind == "deleted" and file.startswith(f"lab.records/{STAGE}"):
            assert named(folder) == [], "without its record a subject is not done"
        else:
            assert named(folder) == [file]
        for read, expected in zip(READINGS, before, strict=True):
            found = outcome(read, folder)
            assert found is None or found.identical(expected), file
        shutil.copy(sound / file, folder / file)
    assert named(folder) == []


def test_a_flipped_bit_anywhere_in_metadata_is_found(folder: Path) -> None:
    draw = random.Random(0)
    for name in (
        "zarr.json",
        f"{NODE}/activity/zarr.json",
        f"{NODE}/zarr.json",
        "subjects/zarr.json",
    ):
        file = folder / "lab.zarr" / name
        kept = file.read_bytes()
        for _ in range(10):
            flip(file, draw.randrange(len(kept)), draw.randrange(8))
            assert named(folder) == [f"lab.zarr/{name}"]
            file.write_bytes(kept)


@pytest.mark.parametrize("lost", ["zarr.json", "manifest", f"{NODE}/zarr.json"])
def test_damaged_values_are_named_where_metadata_is_damaged_as_well(
    folder: Path, lost: str
) -> None:
    path = folder / "lab.zarr"
    (folder / CHUNK).unlink()
    flip(folder / CHUNK.replace("c.1.", "c.2."), 40, 0)
    file = folder / "lab.records/manifest.json" if lost == "manifest" else path / lost
    file.write_text("{", encoding="utf-8")
    (path / NODE / "activity" / "c.2.0.0.0 2").write_bytes(b"a copy that a sync client made")
    chunks = [CHUNK, CHUNK.replace("c.1.", "c.2.")]
    assert sorted(named(folder)) == sorted([str(file.relative_to(folder)), *chunks])


def test_where_no_file_of_an_array_is_left_each_subject_is_named(folder: Path) -> None:
    (folder / "lab.zarr" / "zarr.json").write_text("{", encoding="utf-8")
    array = folder / "lab.zarr" / NODE / "activity"
    shutil.rmtree(array)
    found = [each for each in verify_bytes(folder / "lab.zarr") if each.subject]
    assert [each.subject for each in found] == ["sub-0001", "sub-0002", "sub-0003"]
    assert all(each.file.parent == array for each in found)


def test_all_damaged_records_are_named_at_once(folder: Path) -> None:
    for index in (0, 2):
        flip(folder / "lab.records" / STAGE / f"{index:06d}.json", 30, 2)
    store = Store.open(folder / "lab.zarr")
    with pytest.raises(MachineError, match=r"(?s)000000\.json .sub-0001.*\n.*000002\.json"):
        store.committed(STAGE)
    assert list(store.committed(STAGE, only_sound=True)) == [1]


def test_a_store_without_its_records_opens_and_says_what_cannot_be_read(folder: Path) -> None:
    shutil.rmtree(folder / "lab.records")
    assert open_tree(folder / "lab.zarr")[TABLE]["accuracy"].values[0] == 0.5
    file = folder / "lab.zarr" / "zarr.json"
    content = json.loads(file.read_bytes())
    content["consolidated_metadata"]["metadata"][f"{NODE}/activity"]["data_type"] = "float99"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MachineError, match=r"lab\.zarr could not be read .*lab\.records"):
        open_tree(folder / "lab.zarr")


def test_a_kill_at_any_step_of_a_replacement_is_no_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Killed

    path = folder / "lab.zarr"
    for step in ("unconsolidate", "_to_zarr", "digests", "consolidate", "file_digest"):
        for node in (TABLE, "decoding/new"):
            with monkeypatch.context() as patch:
                patch.setattr(f"virtuallab.store.node_writer.{step}", stop)
                with pytest.raises(Killed):
                    Store.open(path).write_table(node, verdict() + 1)
            assert named(folder) == [], step
            assert open_tree(path)[TABLE]["accuracy"].size == 5
    Store.open(path).finish()
    assert named(folder) == []


def test_files_of_others_are_passed_over(folder: Path) -> None:
    path = folder / "lab.zarr"
    for place in (path, path / NODE, path / NODE / "activity", folder / "lab.records" / STAGE):
        for name in (".DS_Store", "._c.0.0.0.0", "zarr 2.json", "000001 2.json"):
            (place / name).write_bytes(b"\x00\x01")
    store = Store.open(path)
    assert store.verify() == []
    assert list(store.committed(STAGE)) == [0, 1, 2]
    assert store.read_values(NODE, [1])["activity"].values[0, 1, 1, 1] == 1
