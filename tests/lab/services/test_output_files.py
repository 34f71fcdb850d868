"""What is written last, and what becomes of the answer where it cannot be written."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import virtuallab as vl
from tests.reporting.synthetic import experiment
from virtuallab.errors import MachineError, StoreError, UserError
from virtuallab.lab import schema
from virtuallab.lab.init import write_starter
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


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Report a made-up experiment; return what was printed, also where that ends in an error."""
    tree = experiment()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("virtuallab.lab.report.open_partial", lambda *_: tree)
    monkeypatch.setattr("virtuallab.lab.report.experiment_page", lambda *_, **__: "<html>")

    def reported(output: str | None, error: type[Exception] | None = None, match: str = "") -> str:
        page = io.StringIO()
        told = Console(file=page, width=200)
        where = None if output is None else Path(output)
        if error is None:
            vl.report(Path("x.zarr"), where, verbose=told)
        else:
            with pytest.raises(error, match=match):
                vl.report(Path("x.zarr"), where, verbose=told)
        return page.getvalue()

    return reported


PAGE = '<!doctype html><meta name="generator" content="virtuallab">old'


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_page_that_cannot_be_is_refused_before_anything_is_read(report: Any) -> None:
    Path("file").touch()
    wrong = {"none/x.html": "there is no folder none", ".": "is a folder", "file/x": "is not a fol"}
    for output, words in wrong.items():
        assert report(output, UserError, words) == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no such device")
def test_on_a_full_disk_the_verdict_is_printed(report: Any) -> None:
    assert "balanced accuracy of" in report("/dev/full", MachineError, "the disk is full: /dev/f")


def test_on_a_full_disk_the_old_page_stays_whole(report: Any, monkeypatch: Any) -> None:
    Path("x.html").write_text(PAGE)
    monkeypatch.setattr(os, "fsync", full)
    assert "balanced accuracy of" in report(None, MachineError, "the disk is full: x.html")
    assert Path("x.html").read_text() == PAGE
    assert [path.name for path in Path().iterdir()] == ["x.html"]


def test_a_page_beside_the_store_that_cannot_be_loses_no_verdict(report: Any) -> None:
    Path("x.html").mkdir()
    assert "balanced accuracy of" in report(None, UserError, "x.html is a folder")


def test_only_a_page_of_ours_is_replaced(report: Any) -> None:
    Path("x.yaml").write_text("name: mine")
    Path("x.html").write_text("<html>notes</html>")
    assert report("x.yaml", UserError, "x.yaml is there already") == ""
    assert "balanced accuracy of" in report(None, UserError, "x.html is there already")
    assert Path("x.yaml").read_text() == "name: mine"
    assert Path("x.html").read_text() == "<html>notes</html>"
    for old in ("", PAGE):
        Path("x.html").write_text(old)
        report(None)
        assert Path("x.html").read_text() == "<html>"


def test_every_page_can_be_told_from_files_of_others() -> None:
    page = experiment_page(experiment()).encode()
    assert b'<meta name="generator" content="virtuallab">' in page[:2000]


def test_nothing_is_written_into_a_store(report: Any) -> None:
    Path("x.zarr/deep").mkdir(parents=True)
    Path("x.zarr/zarr.json").touch()
    assert report("x.zarr/deep/p.html", UserError, "x.zarr is a store") == ""
    assert not list(Path("x.zarr/deep").iterdir())


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


def test_a_page_may_go_into_a_pipe(report: Any) -> None:
    read, write = os.pipe()
    report(f"/dev/fd/{write}")
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b"<html>"


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


def test_a_starter_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="full"):
        write_starter(tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_starter_whose_schema_cannot_be_written_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(schema, "text", full)
        with pytest.raises(MachineError, match="full"):
            write_starter(tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())
    write_starter(tmp_path / "x.yaml")
    assert (tmp_path / "schema" / "protocol.schema.json").is_file()
