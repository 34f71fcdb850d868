"""Copies without states are read and decoded as the experiment, and refuse what needs states."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.lab.conftest import RECORDED
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import StoreError, UserError
from virtuallab.lab.status import status
from virtuallab.store import Store

DESIGNS = "compare={folds: 2, inner_folds: 2, designs: {few: {units: 1}, more: {units: 2}}}"


@pytest.fixture
def copy(recorded_once: Path, tmp_path: Path) -> Path:
    vl.export(recorded_once / "lab.zarr", tmp_path / "small" / "copy.zarr")
    return tmp_path / "small" / "copy.zarr"


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("protocol") / "tiny.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def bytes_below(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_a_copy_has_everything_but_states(recorded_once: Path, copy: Path) -> None:
    before, now = vl.open(recorded_once / "lab.zarr"), vl.open(copy)
    assert set(before) - set(now) == {"snapshots", "references"}
    for node in ("subjects", "truth", "features/some", "recordings/some/mlp"):
        xr.testing.assert_identical(before[node].to_dataset(), now[node].to_dataset())
    assert now.attrs["left_out"] == '["references", "snapshots"]'
    assert {k: v for k, v in now.attrs.items() if k != "left_out"} == before.attrs


def test_the_bytes_of_a_copy_are_those_of_the_experiment(recorded_once: Path, copy: Path) -> None:
    before, now = bytes_below(recorded_once / "lab.zarr"), bytes_below(copy)
    assert now.keys() < before.keys()
    assert {name for name in now if now[name] != before[name]} == {"zarr.json"}


def test_the_experiment_stays_as_it_was(experiment: Path, tmp_path: Path) -> None:
    before = bytes_below(experiment.parent)
    vl.export(experiment, tmp_path / "copy.zarr")
    assert bytes_below(experiment.parent) == before


def test_a_copy_opens_without_virtuallab(copy: Path) -> None:
    tree = xr.open_datatree(copy, engine="zarr")
    assert "snapshots" not in tree
    assert np.isfinite(tree["features/some/change"].to_numpy()).any()


def test_status_of_a_copy_says_that_states_are_missing(recorded_once: Path, copy: Path) -> None:
    def printed(store: Path) -> str:
        console = Console(width=200)
        with console.capture() as captured:
            console.print(status(store, verify=True)[0])
        return captured.get()

    assert "copy without the states" in printed(copy)
    assert "Every file has the digest" in printed(copy)
    assert "copy without" not in printed(recorded_once / "lab.zarr")


def test_a_copy_is_decoded_and_reported_as_the_experiment(experiment: Path, copy: Path) -> None:
    asked = "analyses.main={observables: [activity], folds: 2, inner_folds: 2}"
    before, now = (vl.decode(store, None, [asked], workers=1) for store in (experiment, copy))
    name = "decoding/main"
    assert before[name].to_dataset()["probability"].size
    xr.testing.assert_identical(before[name].to_dataset(), now[name].to_dataset())
    vl.report(copy)
    assert copy.with_suffix(".html").is_file()


def test_what_needs_states_is_refused(copy: Path, protocol: Path) -> None:
    before = bytes_below(copy)
    refused = r"copy\.zarr is a copy without the states of its subjects, so "
    with pytest.raises(UserError, match=f"{refused}no probe can be implanted .* from which it was"):
        vl.probe(copy, None, ["probes.more={units: 3, observables: [activity]}"], workers=1)
    with pytest.raises(UserError, match=f"{refused}no design can be evaluated"):
        vl.compare(protocol, (*RECORDED[:2], DESIGNS), subjects=copy, workers=1)
    for command, settings in ((vl.run, ()), (vl.compare, (DESIGNS,))):
        with pytest.raises(UserError, match=f"{refused}nothing can be trained .*virtuallab decode"):
            command(protocol, (*RECORDED, *settings), store=copy, workers=1)
    recording = copy / "recordings" / "some" / "mlp"
    with pytest.raises(UserError, match=f"{refused}no decoder for a recording can be trained"):
        vl.identify(copy, recording, subject="sub-0001", probe="some")
    assert bytes_below(copy) == before


def test_a_copy_of_a_copy_is_a_copy(copy: Path, tmp_path: Path) -> None:
    vl.export(copy, tmp_path / "again.zarr")
    assert bytes_below(tmp_path / "again.zarr") == bytes_below(copy)


def test_a_copy_needs_its_records_to_be_decoded(copy: Path) -> None:
    shutil.rmtree(copy.with_name("copy.records"))
    assert "features" in vl.open(copy)
    with pytest.raises(StoreError, match=r"copy\.records is missing"):
        vl.decode(copy)


def test_an_unfinished_experiment_is_not_copied(experiment: Path, tmp_path: Path) -> None:
    records = experiment.with_name("lab.records")
    (records / "probe-some" / "000002.json").unlink()
    with pytest.raises(UserError, match="probe 'some' has recorded 7 of 8 subjects; finish it"):
        vl.export(experiment, tmp_path / "copy.zarr")
    (records / "subjects" / "000002.json").unlink()
    with pytest.raises(UserError, match="7 of 8 subjects are trained"):
        vl.export(experiment, tmp_path / "copy.zarr")
    assert not (tmp_path / "copy.zarr").exists()


def test_both_sizes_are_printed(recorded_once: Path, tmp_path: Path) -> None:
    console = Console(width=400)
    with console.capture() as captured:
        vl.export(recorded_once / "lab.zarr", tmp_path / "copy.zarr", verbose=console)
    assert "without the states of the subjects" in captured.get()
    assert Store.open(tmp_path / "copy.zarr").left_out == ("references", "snapshots")
