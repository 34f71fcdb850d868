"""The least that has to be recorded is searched, as a whole command."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from tests.journeys.conftest import PROTOCOL
from virtuallab.decoder.power_result import PowerResult
from virtuallab.errors import ProtocolError, UserError
from virtuallab.lab.designs.power import outputs, power


@pytest.fixture(scope="module")
def searched(folder: Path) -> tuple[PowerResult, str]:
    """Return the result of a search, and what it said."""
    console = Console(record=True, width=200)
    found = power(
        folder / "small.yaml",
        store=folder / "small.zarr",
        target=0.6,
        workers=1,
        verbose=console,
    )
    return found, console.export_text()


def test_the_least_is_searched_and_said(folder: Path, searched: tuple[PowerResult, str]) -> None:
    found, said = searched
    assert "balanced accuracy of 0.6" in said
    assert f"{found.dearest.cost:.4g}" == "40"
    assert len(found.tried) >= 6
    rows = pd.read_csv(folder / "small.power.csv")
    assert list(rows[["units", "visits"]].iloc[0]) == [20, 4]
    assert rows["on_front"].sum() == len(found.front)
    page = (folder / "small.power.html").read_text(encoding="utf-8")
    assert "Accuracy and cost" in page
    for each in found.tried:
        assert each.cost == each.values["units"] + 5 * each.values["visits"]


@pytest.mark.usefixtures("searched", "untouched")
def test_a_search_goes_on_where_it_stopped(folder: Path) -> None:
    again = power(folder / "small.yaml", store=folder / "small.zarr", target=0.6, workers=1)
    assert len(again.tried) >= 6


@pytest.mark.parametrize(
    ("target", "words"),
    [(1.5, "between 0 and 1"), (-1.0, "between 0 and 1"), (0.5, "reached by guessing")],
)
def test_a_target_that_makes_no_sense_is_refused(folder: Path, target: float, words: str) -> None:
    with pytest.raises(UserError, match=words):
        power(folder / "small.yaml", store=folder / "small.zarr", target=target, workers=1)


def test_a_protocol_without_a_power_section_is_refused(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(PROTOCOL)
    with pytest.raises(ProtocolError, match="power: missing key"):
        power(tmp_path / "small.yaml")


def test_a_name_with_a_dot_is_kept_whole_in_the_names_of_files() -> None:
    names = [path.name for path in outputs(Path("runs/mine.v2"))]
    assert names == ["mine.v2.power.csv", "mine.v2.power.html"]
