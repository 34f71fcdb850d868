"""What is written last, and what becomes of the answer where it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import virtuallab as vl
from tests.reporting.synthetic import experiment
from virtuallab.errors import StoreError, UserError
from virtuallab.lab.services.output_files import check_file, write_each, write_file
from virtuallab.reporting.page.experiment import experiment_page

SUBJECTS = """\
schema_version: 1
name: small
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [8]}]
  tasks: [{name: digits, train_images: 60, validation_images: 20, probe_images: 10}]
  rules:
    - {name: backprop, optimizer: {name: sgd, learning_rate: {log_uniform: [1e-3, 0.1]}}}
    - feedback_alignment
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 10
  batch_size: 20
  epochs: 1
  visits: 3
probes: {some: {units: 4}}
search: {trials: 4}
compare: {designs: {few: {units: 2}}, folds: 2}
power: {design: {units: {uniform: [1, 4]}}, target: 0.7, folds: 2}
"""


def test_every_page_can_be_told_from_files_of_others() -> None:
    page = experiment_page(experiment()).encode()
    assert b'<meta name="generator" content="virtuallab">' in page[:2000]


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (vl.run, "small.html"),
        (vl.compare, "small.compare.html"),
        (vl.power, "small.power.html"),
    ],
)
def test_a_file_in_the_place_of_a_page_is_found_before_training(
    command: Callable[..., object], output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SUBJECTS)
    Path("runs").mkdir()
    Path("runs", output).write_text("notes")
    with pytest.raises(UserError, match=f"{output} is there already"):
        command(Path("small.yaml"), workers=1)
    assert [path.name for path in Path("runs").iterdir()] == [output]
    assert Path("runs", output).read_text() == "notes"


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (vl.run, "small.html"),
        (vl.compare, "small.compare.csv"),
        (vl.compare, "small.compare.html"),
        (vl.compare, "small.compare.zarr"),
        (vl.power, "small.power.csv"),
        (vl.power, "small.power.html"),
        (vl.search, "small.search.csv"),
        (vl.search, "small.tuned.yaml"),
    ],
)
def test_outputs_that_cannot_be_written_are_found_out_before_training(
    command: Callable[..., object], output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def began(*_: object, **__: object) -> None:
        raise AssertionError("this has begun")

    monkeypatch.chdir(tmp_path)
    for module in ("run", "stages.experiment"):
        monkeypatch.setattr(f"virtuallab.lab.{module}.open_experiment", began)
    monkeypatch.setattr("virtuallab.lab.tuning.search.open_storage", began)
    Path("small.yaml").write_text(SUBJECTS)
    place = Path("runs") / output
    (place / "of somebody").mkdir(parents=True)
    with pytest.raises(UserError, match=output):
        command(Path("small.yaml"), workers=1)
    assert (place / "of somebody").exists()


@pytest.mark.parametrize("command", [vl.run, vl.compare])
def test_a_store_that_cannot_be_made_is_named(
    command: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    Path("small.yaml").write_text(SUBJECTS)
    with pytest.raises(StoreError, match=r"^disk/new\.zarr cannot be written: there is no perm"):
        command(Path("small.yaml"), store=Path("disk/new.zarr"), workers=1)
    assert not Path("disk").exists()


def test_every_output_that_can_be_written_is_and_the_first_error_is_raised(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(UserError, match="one is a folder"):
        write_each(
            lambda: write_file(tmp_path / "one", lambda: "1"),
            lambda: write_file(tmp_path / "two", lambda: "2"),
            lambda: write_file(tmp_path / "none" / "three", lambda: "3"),
        )
    assert (tmp_path / "two").read_text() == "2"


def test_a_place_that_may_not_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # whoever tests may be allowed everything
    with pytest.raises(UserError, match="no permission to write in"):
        check_file(tmp_path / "runs" / "x.html")
