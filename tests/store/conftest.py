from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.store.toy import TABLE, new_store, verdict, write_and_commit


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
