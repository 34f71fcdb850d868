"""Columns of tables in an NWB file, which the library reads on access."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from virtuallab.recordings.file_access import reading_file

KIND: Final = "an NWB file"


def column(file: Path, table: Any, name: str) -> list[Any]:
    """Return a column as it is stored, one value for each row."""
    with reading_file(file, KIND):
        return list((table.id if name == "id" else table[name])[:])


def numbers(file: Path, table: Any, name: str) -> np.ndarray:
    """Return a column of numbers as float64, (row,)."""
    with reading_file(file, KIND):
        return np.asarray(table[name][:], dtype=np.float64)


def cell(file: Path, table: Any, name: str, row: int) -> Any:
    """Return the value of a row in a column of lists, or of references to another table."""
    with reading_file(file, KIND):
        return table[name][row]
