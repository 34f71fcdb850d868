"""One tiny experiment, trained and recorded once, that tests of commands copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.services.console import console_of
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import open_experiment, train_all
from virtuallab.protocol import read_text
from virtuallab.store import writer

RECORDED = (
    "subjects.replicates=4",
    "subjects.cohort=4",
    "probes.some={units: 2, observables: [activity]}",
    "analyses.main={observables: [activity], folds: 2, inner_folds: 2}",
)


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the experiment, ``lab.zarr``, that no test may change."""
    folder = tmp_path_factory.mktemp("recorded")
    store = folder / "lab.zarr"
    plan = make_plan(read_text(TEXT, name="tiny.yaml", overrides=RECORDED))
    with writer(store, makes=True):
        experiment = open_experiment(plan, store, 1, console_of())
        train_all(experiment, pool=LocalPool(1), device="cpu", console=console_of())
        experiment.store.finish()
    vl.probe(store, workers=1)
    return folder


@pytest.fixture
def experiment(recorded_once: Path, tmp_path: Path) -> Path:
    """Store of eight trained subjects, recorded by the probe ``some``; nothing is decoded."""
    return shutil.copytree(recorded_once, tmp_path / "copy") / "lab.zarr"
