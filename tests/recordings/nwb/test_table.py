"""Columns and cells of tables in an NWB file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.recordings.nwb.files import add_trials, session
from virtuallab.errors import UserError
from virtuallab.recordings.nwb.table import cell, column, numbers

FILE = Path("day 1.nwb")


@pytest.fixture
def trials() -> Any:
    contents = session(1)
    add_trials(contents, ["left", "right"])
    return contents.trials


@pytest.fixture
def units() -> Any:
    contents = session(1)
    contents.add_unit(id=7, spike_times=[0.5, 1.5])
    contents.add_unit(id=3, spike_times=[2.5])
    return contents.units


def test_a_column_has_a_value_for_each_row(trials: Any) -> None:
    assert column(FILE, trials, "stimulus") == ["left", "right"]


def test_the_column_id_holds_the_identifiers_of_the_rows(units: Any) -> None:
    assert column(FILE, units, "id") == [7, 3]


def test_numbers_are_double_precision(trials: Any) -> None:
    found = numbers(FILE, trials, "stop_time")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [0.5, 1.5])


def test_a_cell_of_a_ragged_column_is_the_list_of_its_row(units: Any) -> None:
    assert list(cell(FILE, units, "spike_times", 0)) == [0.5, 1.5]
    assert list(cell(FILE, units, "spike_times", 1)) == [2.5]


@pytest.mark.parametrize("read", [column, numbers, lambda *where: cell(*where, 0)])
def test_an_error_of_the_library_is_reported_as_damage_of_the_file(read: Any, trials: Any) -> None:
    with pytest.raises(UserError, match=r"^day 1\.nwb: cannot be read as an NWB file; .*contrast"):
        read(FILE, trials, "contrast")


def test_text_in_a_column_of_numbers_is_reported_as_damage(trials: Any) -> None:
    with pytest.raises(UserError, match="could not convert string to float"):
        numbers(FILE, trials, "stimulus")
