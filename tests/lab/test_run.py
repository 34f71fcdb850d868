"""What a protocol asks is answered, or it is said why not, whatever became of its subjects."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.recordings.files import plain
from virtuallab.errors import UserError
from virtuallab.lab import run
from virtuallab.lab.designs import compare
from virtuallab.lab.services.workers import LocalPool, Piece
from virtuallab.reporting import verdict_table

PROTOCOL = """\
schema_version: 1
name: tiny
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [4]}]
  tasks: [{name: digits, train_images: 16, validation_images: 10, probe_images: 10}]
  rules: [backprop, {name: feedback_alignment, label: fa}, {name: backprop, label: wild}]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  batch_size: 8
  steps: 3
  visits: 3
  cohort: 2
probes:
  p: {observables: [activity], units: 4}
analyses:
  a: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, permutations: 0}
"""
WILD = ("subjects.rules[2].optimizer={name: sgd, learning_rate: 1.0e+30}", "subjects.visits=4")
TWO = "subjects.rules=[backprop, {name: backprop, label: wild}]"


@pytest.fixture(autouse=True)
def _undrawn() -> Iterator[None]:
    with mock.patch("virtuallab.reporting.page.template.inline_svg", return_value="<svg></svg>"):
        yield


def written(folder: Path) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


def said(tree: xr.DataTree) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(verdict_table(tree))
    return " ".join(captured.get().split())


def test_a_half_trained_store_is_reported_as_far_as_it_has_come(tmp_path: Path) -> None:
    path, store = written(tmp_path), tmp_path / "half.zarr"
    whole = LocalPool.run

    def some(pool: LocalPool, cohorts: Iterable[Piece], threads: int) -> None:
        whole(pool, itertools.islice(cohorts, 2), threads)
        raise KeyboardInterrupt

    with mock.patch.object(LocalPool, "run", some), pytest.raises(vl.errors.Interrupted):
        vl.run(path, store=store, workers=1)
    tree = vl.report(store, tmp_path / "half.html")
    assert np.bincount(tree["subjects"]["status"].values).tolist() == [8, 4]
    accuracy = tree["truth/validation_performance"].values
    assert np.isfinite(accuracy).any(1).sum() == 4
    page = (tmp_path / "half.html").read_text(encoding="utf-8")
    assert "8 of 12 subjects are not trained yet" in page
    assert "Nothing is decoded yet" in said(vl.report(store, tmp_path / "again.html"))
    assert "status" not in vl.open(store)["subjects"], "to report is not to write"
    designs = "compare={designs: {d: {units: 2}}, folds: 2, inner_folds: 2}"
    with pytest.raises(UserError, match=r"4 of 12 subjects are trained\. First: `virtuallab run"):
        compare.compare(path, [designs], subjects=store, workers=1)


def test_a_rule_whose_subjects_all_diverged_is_left_out_and_named(tmp_path: Path) -> None:
    path, store = written(tmp_path), tmp_path / "wild.zarr"
    tree = vl.run(path, WILD, store=store, workers=1)
    verdict = tree["decoding/a"].to_dataset()
    assert verdict["true_rule"].values.tolist() == ["backprop", "fa"]
    assert float(verdict.attrs["chance"]) == 0.5
    assert "rule 'wild' is left out: 0 of its subjects remain" in said(tree)
    designs = "compare={designs: {d: {units: 2}}, folds: 2, inner_folds: 2}"
    with pytest.raises(UserError, match=r"0 of 'wild', where compare needs 4 of each rule"):
        compare.compare(path, [*WILD, designs], subjects=store, workers=1)


def test_where_one_rule_is_left_nothing_is_decoded_and_recordings_are_kept(
    tmp_path: Path,
) -> None:
    wild = WILD[0].replace("[2]", "[1]")
    tree = vl.run(written(tmp_path), [TWO, wild, WILD[1]], store=tmp_path / "one.zarr", workers=1)
    assert "activity" in tree["recordings/p/mlp"]
    [(probe, reason)] = json.loads(tree["decoding/a"].attrs["not_decoded"]).items()
    assert probe == "p"
    assert "0 of 'wild'" in reason
    assert "where 4 of each of two rules are needed (4 of 8 subjects diverged: lower" in reason
    assert "The analysis “a” is not decoded: too few subjects" in said(tree)
    assert "is not decoded: too few" in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_where_every_subject_diverged_the_page_is_written_and_a_remedy_said(tmp_path: Path) -> None:
    wild = ["subjects.optimizer.learning_rate=1.0e+30", "subjects.visits=4"]
    with pytest.raises(UserError, match=r"every subject diverged.*Lower the learning rates"):
        vl.run(written(tmp_path), wild, store=tmp_path / "none.zarr", workers=1)
    page = (tmp_path / "none.html").read_text(encoding="utf-8")
    assert "no verdict. 12 of 12 subjects diverged: lower the learning rates" in page
    assert "yet" not in said(vl.report(tmp_path / "none.zarr"))
    plain().to_netcdf(tmp_path / "recording.nc", engine="h5netcdf")
    with pytest.raises(UserError, match=r"every subject diverged.*Lower the learning rates"):
        vl.identify(tmp_path / "none.zarr", tmp_path / "recording.nc", match=True)
    with pytest.raises(UserError, match=r"every subject diverged.*Lower the learning rates"):
        vl.decode(tmp_path / "none.zarr")


def test_peak_memory_is_taken_before_the_workers_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open = False

    @contextmanager
    def pool(*given: object) -> Iterator[LocalPool]:
        nonlocal is_open
        is_open = True
        yield LocalPool(1)
        is_open = False

    monkeypatch.setattr(run, "open_pool", pool)
    monkeypatch.setattr(run, "peak_memory", lambda: 7 * 10**12 if is_open else 0)
    console = Console(width=200)
    with console.capture() as captured:
        vl.run(written(tmp_path), ["analyses={}"], store=tmp_path / "a.zarr", verbose=console)
    assert "peak memory 7000.00 GB" in captured.get()


def test_one_visit_is_decoded_and_said_to_tell_nothing(tmp_path: Path) -> None:
    overrides = [
        "subjects.visits=[0]",
        "probes.p.observables=[activity_change]",
        "analyses.a.observables=[activity_change]",
    ]
    tree = vl.run(written(tmp_path), overrides, store=tmp_path / "once.zarr", workers=1)
    assert tree["decoding/a/balanced_accuracy"].sizes["probe"] == 1
    assert "one visit only: there are no changes" in said(tree)
