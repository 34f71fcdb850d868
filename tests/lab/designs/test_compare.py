"""Designs are compared, as a whole command."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from tests.journeys.conftest import PROTOCOL
from tests.lab.designs.small import compared
from virtuallab.errors import MachineError, ProtocolError, StoreError
from virtuallab.lab.designs import compare as comparing
from virtuallab.lab.designs import decode_designs as tried
from virtuallab.lab.planning.validation import make_plan
from virtuallab.protocol import read


def test_every_design_is_in_the_table(folder: Path, untouched: None) -> None:
    found = compared(folder)
    assert found.sizes["design"] == 6
    assert found["balanced_accuracy"].dims == ("design", "observable", "classifier")
    value = found["balanced_accuracy"].squeeze("classifier")
    assert np.isfinite(value.sel(observable="activity")).all()
    weights = value.sel(observable="weights")
    assert found["design_name"].values[np.isfinite(weights)].tolist() == ["both"]
    inside = found.where(found["balanced_accuracy"].notnull())
    assert (inside["interval"].sel(bound="low") <= value).where(value.notnull(), True).all()
    assert (inside["interval"].sel(bound="high") >= value).where(value.notnull(), True).all()
    assert found.sel(design="array: units 20, noise.snr 0.5")["units"] == 20
    mean = found["accuracy_by_seed"].mean("seed")
    xr.testing.assert_allclose(mean.rename("m"), found["balanced_accuracy"].rename("m"))
    assert (found["shortfall"].min() == 0).all()
    assert found.attrs["chance"] == 0.5


def test_the_files_say_the_same(folder: Path, untouched: None) -> None:
    found = compared(folder)
    kept = xr.open_dataset(folder / "small.compare.zarr", engine="zarr", consolidated=False)
    np.testing.assert_array_equal(kept["balanced_accuracy"], found["balanced_accuracy"])
    rows = pd.read_csv(folder / "small.compare.csv")
    assert len(rows) == 2 * (4 + 2 + 1)
    row = rows[(rows["design"] == "tetrode") & (rows["seed"] == 1)].iloc[0]
    there = found.sel(design="tetrode", observable="activity", seed=1).squeeze()
    assert row["accuracy_by_seed"] == pytest.approx(float(there["accuracy_by_seed"]))
    assert row["accuracy_low"] == pytest.approx(float(there["interval"].sel(bound="low")))
    page = (folder / "small.compare.html").read_text(encoding="utf-8")
    for words in (
        "array: units 20, noise.snr 4",
        "Accuracy against two settings",
        "visit 0 alone",
        "<svg",
    ):
        assert words in page, words


def test_only_further_designs_are_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    decode = tried._decode

    def count(name: str, *rest: object) -> list[int]:
        asked.append(name)
        return decode(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tried, "_decode", count)
    text = (folder / "small.yaml").read_text().replace("units: [5, 20]", "units: [5, 10, 20]")
    (folder / "more.yaml").write_text(text)
    found = compared(folder, name="more")
    assert found.sizes["design"] == 8
    assert sorted(asked) == sorted(
        [
            *["rule/activity/kernel_svm"] * 4,
            *["visit_0/activity/kernel_svm", "permuted_labels/activity/kernel_svm"] * 2,
            *["signal_removed/activity/kernel_svm"] * 2,
        ]
    )


def test_designs_change_neither_subjects_nor_recordings(folder: Path, untouched: None) -> None:
    def contents() -> dict[str, bytes]:
        store = folder / "small.zarr"
        return {str(f): f.read_bytes() for f in store.rglob("*") if f.is_file()}

    before = contents()
    compared(folder, "compare.seeds=1")
    assert contents() == before


def test_another_experiments_subjects_can_be_taken(folder: Path, untouched: None) -> None:
    text = (folder / "small.yaml").read_text().replace("name: small", "name: guest")
    (folder / "guest.yaml").write_text(text)
    found = compared(folder, name="guest", store=None, subjects=folder / "small.zarr")
    here = compared(folder)
    np.testing.assert_array_equal(found["balanced_accuracy"], here["balanced_accuracy"])
    assert (folder / "guest.compare.csv").exists()


IMPOSSIBLE = {
    "more units than there are": (
        "compare.designs.array.units=[5, 20000]",
        "compare.designs.array.units: in knet4: 20000 units asked of",
    ),
    "a visit that is not preserved": (
        "compare.designs.array.visits=[0, 9]",
        "visit 9 is after the end of training: the last visit is 3.",
    ),
    "negative noise": (
        "compare.designs.array.noise.snr=[-1.0, 1.0]",
        "compare.designs.array.noise.snr[0]: should be greater than 0, found -1.0.",
    ),
    "turnover of all units": (
        "compare.designs.both.turnover=1.0",
        None,
    ),
    "turnover where all are recorded": (
        "compare.designs.both={turnover: 1.0, observables: [activity]}",
        "all units are recorded, so none can replace a lost one",
    ),
    "too many folds": ("compare.folds=20", "8 subjects per rule cannot be split in 20 groups"),
    "bounds beyond the layers": (
        "power.design.units={log_uniform: [2, 20000]}",
        "power.design.units: in knet4: 20000 units asked of",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_an_impossible_design_is_told_before_anything_is_trained(
    folder: Path, tmp_path: Path, case: str
) -> None:
    override, words = IMPOSSIBLE[case]
    if words is None:
        make_plan(read(folder / "small.yaml", [override]))  # acute is possible
        return
    with pytest.raises(ProtocolError) as caught:
        compared(folder, override, store=tmp_path / "none.zarr")
    assert words in str(caught.value)
    assert not (tmp_path / "none.zarr").exists()


def test_a_protocol_without_designs_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(PROTOCOL)
    with pytest.raises(ProtocolError, match="compare: missing key"):
        compared(tmp_path)


def test_a_store_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(StoreError, match="there is no experiment"):
        compared(folder, subjects=folder / "nobody.zarr")


def test_the_ranking_is_printed_and_kept_where_the_page_cannot_be_written(
    folder: Path, untouched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> str:
        raise MachineError("the disk is full")

    monkeypatch.setattr(comparing, "comparison_page", full)
    told = io.StringIO()
    (folder / "small.compare.csv").unlink()
    with pytest.raises(MachineError, match="full"):
        compared(folder, verbose=Console(file=told, width=100))
    assert "balanced accuracy, chance 0.50" in told.getvalue()
    assert (folder / "small.compare.csv").exists()
