from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from virtuallab.subject.audio import array_cache
from virtuallab.subject.audio.array_cache import cache_folder, cached_array


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIRTUALLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(array_cache, "_MEMORY", {})
    return tmp_path / "cache"


class Maker:
    """Counts how often the array was made."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return np.arange(5.0)


def forget() -> None:
    """Make this process know no array, as a new one does."""
    array_cache._MEMORY.clear()


def test_an_array_is_made_once_and_read_by_the_next_process(folder: Path) -> None:
    make = Maker()
    first = cached_array("a", "key", make)
    assert cached_array("a", "key", make) is first
    forget()
    np.testing.assert_array_equal(cached_array("a", "key", make), np.arange(5.0))
    assert make.calls == 1
    assert [file.suffix for file in folder.iterdir()] == [".npz"]


def test_another_key_is_another_array(folder: Path) -> None:
    make = Maker()
    cached_array("a", "key", make)
    cached_array("a", "other key", make)
    assert make.calls == 2
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "another"])
def test_a_damaged_file_is_made_again(folder: Path, damage: str) -> None:
    make = Maker()
    cached_array("a", "key", make)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    values = np.arange(5.0).tobytes()
    match damage:
        case "cut":
            file.write_bytes(whole[:-30])
        case "changed":
            file.write_bytes(whole.replace(values, np.ones(5).tobytes()))
        case "empty":
            file.write_bytes(b"")
        case "another":
            np.savez(file, others=np.ones(3))
    forget()
    np.testing.assert_array_equal(cached_array("a", "key", make), np.arange(5.0))
    assert make.calls == 2
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_done_without(folder: Path) -> None:
    folder.write_text("a file in the place of the folder")
    make = Maker()
    cached_array("a", "key", make)
    np.testing.assert_array_equal(cached_array("a", "key", make), np.arange(5.0))
    assert make.calls == 1
    assert folder.is_file()


def test_a_write_that_fails_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    cached_array("a", "key", Maker())
    assert list(folder.iterdir()) == []


def test_threads_that_ask_at_once_wait_for_one_array() -> None:
    make, found = Maker(), []

    def slow() -> np.ndarray:
        time.sleep(0.05)
        return make()

    ask = [
        threading.Thread(target=lambda: found.append(cached_array("a", "key", slow)))
        for _ in range(4)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert make.calls == 1
    assert all(each is found[0] for each in found)


def test_an_array_cannot_be_changed_for_others() -> None:
    with pytest.raises(ValueError, match="read-only"):
        cached_array("a", "key", Maker())[0] = 1


def test_without_the_variable_it_is_the_users_cache_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VIRTUALLAB_CACHE")
    assert cache_folder().name.lower() == "virtuallab"
    assert Path.home() in cache_folder().parents
