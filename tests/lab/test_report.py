"""The report of an experiment: its page is written, or the verdict is printed nevertheless."""

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
from virtuallab.errors import MachineError, UserError

PAGE = '<!doctype html><meta name="generator" content="virtuallab">old'


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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


def test_nothing_is_written_into_a_store(report: Any) -> None:
    Path("x.zarr/deep").mkdir(parents=True)
    Path("x.zarr/zarr.json").touch()
    assert report("x.zarr/deep/p.html", UserError, "x.zarr is a store") == ""
    Path("x.records").mkdir()
    assert report("x.records/p.html", UserError, "x.zarr is a store") == ""
    assert not list(Path("x.zarr/deep").iterdir())
    assert not list(Path("x.records").iterdir())


def test_a_page_may_go_into_a_pipe(report: Any) -> None:
    read, write = os.pipe()
    report(f"/dev/fd/{write}")
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b"<html>"
