"""What libraries raise while they read a file, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtuallab.errors import MissingLibrary, UserError
from virtuallab.recordings.file_access import import_library, reading_file

FILE = Path("mine.nc")


def test_an_error_of_the_library_is_one_line_that_names_the_file() -> None:
    said = r"^mine.nc: cannot be read as .*\(first\)"
    with pytest.raises(UserError, match=said) as caught, reading_file(FILE, "a file"):
        raise ValueError("first\nsecond") from KeyError("why")
    assert caught.value.__suppress_context__
    with pytest.raises(MemoryError), reading_file(FILE, "a file"):
        raise MemoryError


def test_what_may_not_be_read_and_what_needs_a_filter_are_not_damaged() -> None:
    with pytest.raises(UserError, match="may not be read"), reading_file(FILE, "a file"):
        raise PermissionError(13, "no")
    with pytest.raises(UserError, match="compressed in a way that"), reading_file(FILE, "a file"):
        raise OSError("Can't synchronously read data (required filter 'blosc' is not registered)")


def test_a_library_that_is_missing_is_named() -> None:
    with pytest.raises(MissingLibrary, match="pip install"), reading_file(FILE, "a file"):
        raise ModuleNotFoundError("no", name="h5py")
    with pytest.raises(MissingLibrary, match=r"no_such_library is not .* -e \"\.\[some\]\""):
        import_library("no_such_library", "to read", "some")


class _Half:
    def __del__(self) -> None:
        raise AttributeError("not open")


def _opened() -> None:
    half = _Half()
    half.itself = half  # type: ignore[attr-defined]
    raise OSError("damaged")


def test_a_file_that_cannot_be_closed_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="damaged"), reading_file(FILE, "a file"):
        _opened()
    assert capfd.readouterr().err == ""
