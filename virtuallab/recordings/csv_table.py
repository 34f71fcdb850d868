"""Reading of a CSV table, with the line and the column of every fault."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn

from virtuallab.errors import Fault, UserError, suggest
from virtuallab.recordings.text import is_missing
from virtuallab.text import brief

_SHOWN: Final = 10  # faults of one file that a message lists
_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_BINARY: Final = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a spreadsheet or zip archive",
}


@dataclass(frozen=True)
class CsvTable:
    """Cells of a CSV file as text, with the lines in which they are.

    Parameters
    ----------
    file : str
        The file, as the user named it.
    columns : mapping from name to list of str
        In the order of the file.
    lines : list of int
        Line of each row, counted from 1.
    header : int
        Line of the names.
    """

    file: str
    columns: dict[str, list[str]]
    lines: list[int]
    header: int = 1

    def fault(self, row: int | None, column: str, message: str) -> Fault:
        """A fault in a cell; in the header if the row is None."""
        return Fault(self.file, self.header if row is None else self.lines[row], column, message)

    def require(self, *names: str) -> None:
        """Refuse the table if one of these columns is missing.

        Raises
        ------
        UserError
        """
        raise_faults(
            self.fault(None, name, f"this column is missing. {suggest(name, self.columns)}")
            for name in names
            if name not in self.columns
        )

    def filled(self, *names: str) -> None:
        """Refuse the table if a cell of one of these columns is empty.

        Raises
        ------
        UserError
        """
        raise_faults(
            self.fault(row, name, "this cell is empty. Each row needs a value here.")
            for name in names
            for row in is_missing(self.columns[name]).nonzero()[0].tolist()
        )

    def unique(self, name: str) -> dict[str, int]:
        """Row of each value of a column, in which each value occurs once.

        Raises
        ------
        UserError
            If a value occurs twice.
        """
        found: dict[str, int] = {}
        faults = []
        for row, value in enumerate(self.columns[name]):
            if value in found:
                said = f"{value!r} is in line {self.lines[found[value]]} too; one row each."
                faults.append(self.fault(row, name, said))
            found.setdefault(value, row)
        raise_faults(faults)
        return found


def raise_faults(faults: Iterable[Fault]) -> None:
    """Raise an error that lists the first faults of a file, if there are any.

    Raises
    ------
    UserError
    """
    every = list(faults)
    if every:
        shown = [brief(str(each)) for each in every[:_SHOWN]]
        more = len(every) - _SHOWN
        raise UserError("\n".join([*shown, *([f"... and {more} more."] if more > 0 else [])]))


def read_csv(path: Path) -> CsvTable:
    """Read a CSV file with a header, separated by commas, in UTF-8.

    A byte order mark at its start and empty lines are ignored, and so are spaces around cells.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UserError
        If there is no such file, it is not text in UTF-8, or it is not a table with one name for
        each column and as many cells in each row.
    """
    file = str(path)
    text = _text(path)
    rows = _rows(file, text)
    header = next(rows, None)
    if header is None:
        _refuse(file, 0, "the file is empty. It needs a header and one row for each subject.")
    line_of_names, names = header
    _check_header(file, line_of_names, names)
    cells: list[list[str]] = []
    lines: list[int] = []
    faults = []
    for line, row in rows:
        if len(row) != len(names):
            said = f"{len(row)} cells, and the header has {len(names)} columns."
            faults.append(Fault(file, line, "", said))
        cells.append(row)
        lines.append(line)
    raise_faults(faults)
    if not cells:
        _refuse(file, 0, "the table has a header and no row. It needs one for each subject.")
    columns = {name: [row[place] for row in cells] for place, name in enumerate(names)}
    return CsvTable(file, columns, lines, line_of_names)


def _refuse(file: str, line: int, message: str) -> NoReturn:
    raise UserError(brief(str(Fault(file, line, "", message))))


def _text(path: Path) -> str:
    file = str(path)
    if path.is_dir():
        _refuse(file, 0, "is a folder. Give the name of a CSV file.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        there = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        near = get_close_matches(path.name, there, n=1)
        hint = f" Did you mean {path.parent / near[0]}?" if near else ""
        _refuse(file, 0, f"there is no such file.{hint}")
    except OSError as error:
        _refuse(file, 0, f"cannot be read ({(error.strerror or str(error)).lower()}).")
    for start, what in _BINARY.items():
        if content.startswith(start):
            _refuse(file, 0, f"is {what}. Save it as CSV in UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        wrong = content[error.start]
        _refuse(file, line, f"is not in UTF-8 (byte 0x{wrong:02x}). Save it as CSV in UTF-8.")
    if "\0" in text:
        _refuse(file, text[: text.index("\0")].count("\n") + 1, "has a NUL byte: it is no CSV.")
    return text


def _rows(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(file, line, f"cannot be read as CSV ({error}).")


def _check_header(file: str, line: int, names: list[str]) -> None:
    if len(names) == 1:
        for mark, what in _DELIMITERS.items():
            if mark in names[0]:
                _refuse(file, line, f"columns are separated by {what}. Separate them by commas.")
    faults = []
    for place, name in enumerate(names):
        if not name:
            said = f"column {place + 1} has no name. (pandas: to_csv(FILE, index=False).)"
            faults.append(Fault(file, line, "", said))
        elif name in names[:place]:
            faults.append(Fault(file, line, name, "this column is there twice."))
    raise_faults(faults)
