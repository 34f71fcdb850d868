from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.store.toy import NODE, STAGE, contents, declare, new_store, sample, write_and_commit
from virtuallab.errors import MachineError, StoreError, VirtuallabError
from virtuallab.store import Store, open_tree
from virtuallab.store.integrity.recovery import repair_root
from virtuallab.store.integrity.verification import verify_bytes

TABLE = "decoding/main"
CHUNK = f"lab.zarr/{NODE}/activity/c.1.0.0.0"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished store."""
    folder = tmp_path_factory.mktemp("sound")
    store = new_store(folder)
    write_and_commit(str(store.path), [0, 1, 2])
    store.write_table(TABLE, verdict())
    store.finish()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "copy")


def verdict() -> xr.Dataset:
    return xr.Dataset({"accuracy": ("fold", np.linspace(0.5, 1, 5))})


def flip(file: Path, place: int, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 1 << bit
    file.write_bytes(content)


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


def test_values_are_read_as_they_lie_with_their_coordinates(folder: Path) -> None:
    store = Store.open(folder / "lab.zarr")
    xr.testing.assert_identical(
        store.read_values(NODE, [2, 0]), store.read(NODE).isel(subject=[2, 0]).load()
    )


def test_every_damaged_subject_is_named_with_what_makes_it_anew(folder: Path) -> None:
    shutil.copy(folder / CHUNK, folder / CHUNK.replace("c.1.", "c.2."))  # another's values
    (folder / CHUNK).unlink()
    store = Store.open(folder / "lab.zarr")
    with pytest.raises(MachineError) as caught:
        store.read_values(NODE, [0, 1, 2])
    first, second = str(caught.value).splitlines()
    run = f"To make it anew: virtuallab run PROTOCOL.yaml --store {store.path}"
    assert first == f"{folder / CHUNK} (sub-0002) is missing. {run}"
    assert second.startswith(f"{folder / CHUNK.replace('c.1.', 'c.2.')} (sub-0003) is damaged")
    store.check_values(NODE, [0, 3])  # nothing was recorded of subject 3
    with pytest.raises(MachineError, match="sub-0002"):
        store.check_values(NODE, [1])


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


def test_what_is_damaged_is_made_anew_with_the_same_bytes(folder: Path, sound: Path) -> None:
    path = folder / "lab.zarr"
    static = (
        *(f"{NODE}/unit_layer/c/0", f"{NODE}/activity/zarr.json", f"{NODE}/zarr.json"),
        *("recordings/zarr.json", "zarr.json"),
    )
    for name in static:
        flip(path / name, 20, 0)
    (path / TABLE / "accuracy" / "zarr.json").unlink()
    (folder / CHUNK).write_bytes(b"")
    flip(folder / "lab.records" / STAGE / "000002.json", 30, 2)
    repair_root(path)
    store = Store.open(path)
    with pytest.raises(MachineError, match="unit_layer/c/0 is damaged"):
        store.read(NODE)
    declare(store)
    assert store.invalidate_damaged(STAGE) == 2
    assert list(store.committed(STAGE)) == [0]
    for index in (1, 2):
        written = store.write(NODE, index, sample(float(index)))
        store.commit(STAGE, index, {"checksums": {NODE: written}})
    store.write_table(TABLE, verdict())
    store.finish()
    assert store.verify() == []
    assert contents(path) == contents(sound / "lab.zarr")
    assert list(store.committed(STAGE)) == [0, 1, 2]


def test_a_lost_manifest_is_made_anew_node_by_node(folder: Path, sound: Path) -> None:
    path = folder / "lab.zarr"
    (folder / "lab.records" / "manifest.json").unlink()
    for opening in (Store.open, open_tree):
        with pytest.raises(MachineError, match=r"manifest\.json is missing.*virtuallab run"):
            opening(path)
    repair_root(path)
    store = Store.open(path)
    assert [str(each.file.relative_to(path)) for each in store.verify()] == [
        TABLE, NODE, "subjects"
    ]  # fmt: skip
    with pytest.raises(MachineError, match=r"is not in .*manifest\.json.*virtuallab decode"):
        store.read(TABLE)
    store.write_table("subjects", open_subjects(sound))
    declare(store)
    store.write_table(TABLE, verdict())
    assert store.verify() == []
    assert contents(path) == contents(sound / "lab.zarr")


def open_subjects(folder: Path) -> xr.Dataset:
    return Store.open(folder / "lab.zarr").subjects.load()


def test_root_and_manifest_lost_together_are_said_to_be(folder: Path) -> None:
    (folder / "lab.records" / "manifest.json").unlink()
    (folder / "lab.zarr" / "zarr.json").write_text("{", encoding="utf-8")
    with pytest.raises(MachineError, match="both damaged or missing"):
        repair_root(folder / "lab.zarr")


def test_metadata_that_cannot_be_made_as_it_was_is_left(folder: Path) -> None:
    store = Store.open(folder / "lab.zarr")
    flip(folder / "lab.zarr" / NODE / "zarr.json", 9, 0)
    before = contents(folder / "lab.zarr" / NODE)
    with pytest.raises(MachineError, match="cannot be made as they were"):
        store.declare(NODE, sample().assign_coords(step=("visit", [0, 1, 2])))
    assert contents(folder / "lab.zarr" / NODE) == before


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


def test_links_and_chunks_are_not_searched_for_nodes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "lab.zarr"
    (path / "recordings" / "again").symlink_to(path, target_is_directory=True)
    looked: list[Path] = []
    plain = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        looked.append(self)
        return plain(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    store = Store.open(path)
    assert store.nodes() == sorted([TABLE, NODE, "subjects"])
    assert not {path / NODE / "activity", path / "recordings" / "again"} & {*looked}


def test_a_missing_node_is_no_damage(folder: Path) -> None:
    with pytest.raises(StoreError, match="has no features/utha"):
        Store.open(folder / "lab.zarr").read("features/utha")
