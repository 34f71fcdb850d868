"""CSV tables as text, with the line of each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtuallab.errors import UserError
from virtuallab.recordings.csv_table import read_csv


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_file(tmp_path: Path, end: str) -> None:
    found = read_csv(table(tmp_path, end.join(["", "a, b", "1,2", "", " 3 ,4"])))
    assert found.columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert (found.header, found.lines) == (2, [3, 5])


def test_a_cell_in_quotes_may_have_commas_and_lines(tmp_path: Path) -> None:
    found = read_csv(table(tmp_path, 'a,b\n"x,\ny",1\nz,2\n'))
    assert found.columns["a"] == ["x,\ny", "z"]
    assert found.lines == [2, 4]


def test_only_the_line_ends_of_text_files_end_a_line(tmp_path: Path) -> None:
    found = read_csv(table(tmp_path, "a,b\nx\u2028y,1\n"))
    assert found.columns == {"a": ["x\u2028y"], "b": ["1"]}


def test_columns_can_be_required_filled_and_unique(tmp_path: Path) -> None:
    found = read_csv(table(tmp_path, "name,value\nx,1\ny,\nx,2\n"))
    found.require("name", "value")
    found.filled("name")
    with pytest.raises(UserError, match=r"a.csv:1: nme: .*missing. Did you mean 'name'"):
        found.require("nme")
    with pytest.raises(UserError, match=r"a.csv:3: value: this cell is empty"):
        found.filled("value")
    with pytest.raises(UserError, match=r"a.csv:4: name: 'x' is in line 2 too"):
        found.unique("name")


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    found = read_csv(table(tmp_path, "a,b\nx\x1b[31m,1\nx\x1b[31m,2\n"))
    with pytest.raises(UserError) as caught:
        found.unique("a")
    assert "\x1b" not in str(caught.value)
