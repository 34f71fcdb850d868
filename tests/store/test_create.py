from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.toy import (
    STAGE,
    new_store,
    subjects,
)
from virtuallab.errors import StoreError
from virtuallab.store import Store, create_store


def test_an_existing_store_is_never_made_again(tmp_path: Path) -> None:
    new_store(tmp_path).commit(STAGE, 0, {})
    with pytest.raises(StoreError, match="exists already"):
        new_store(tmp_path)
    assert list(Store.open(tmp_path / "lab.zarr").committed(STAGE)) == [0]


def test_records_of_a_store_that_was_moved_are_kept_for_it(tmp_path: Path) -> None:
    first = new_store(tmp_path)
    first.commit(STAGE, 0, {})
    first.path.rename(tmp_path / "away.zarr")
    with pytest.raises(
        StoreError, match=r"belongs to an experiment that is no longer at .*lab\.zarr"
    ):
        new_store(tmp_path)
    (tmp_path / "away.zarr").rename(first.path)
    assert list(Store.open(first.path).committed(STAGE)) == [0]


def test_a_store_is_called_zarr(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"ends in \.zarr; call it .*/trial\.1\.zarr"):
        create_store(tmp_path / "trial.1", subjects=subjects(), provenance={}, plan={})
    assert list(tmp_path.iterdir()) == []


def test_stores_with_a_dot_in_their_name_keep_their_own_records(tmp_path: Path) -> None:
    for name in ("trial.1.zarr", "trial.2.zarr"):
        create_store(tmp_path / name, subjects=subjects(), provenance={}, plan={})
    Store.open(tmp_path / "trial.1.zarr").commit(STAGE, 0, {})
    assert Store.open(tmp_path / "trial.2.zarr").committed(STAGE) == {}
