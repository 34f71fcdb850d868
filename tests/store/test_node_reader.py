from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr

from tests.store.toy import CHUNK, NODE, TABLE
from virtuallab.errors import MachineError, StoreError
from virtuallab.store import Store


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
