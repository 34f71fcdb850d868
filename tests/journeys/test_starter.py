"""What ``virtuallab init`` writes is run, as its last line tells the user to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import virtuallab as vl
from virtuallab.lab.init import write_starter

QUICK = (
    "subjects.epochs=2",
    "subjects.visits=3",
    "analyses.main.observables=[activity]",
    "subjects.tasks=[{name: digits, train_images: 96, validation_images: 20, probe_images: 12}]",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(QUICK, id="few images and observables"),
        pytest.param((), id="whole"),
    ],
)
def test_the_starter_runs_to_its_verdict(overrides: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    write_starter(path)
    tree = vl.run(path, overrides, store=tmp_path / "mine.zarr", workers=1)
    verdict = tree["decoding/main"].to_dataset().load()
    assert verdict.sizes["probe"] == 2
    assert np.isfinite(verdict["balanced_accuracy"]).all()
    # Twenty subjects a rule, with a learning rate drawn for each, in five folds.
    rates = verdict["explained"].sel(metaparameter="learning_rate")
    assert np.isfinite(rates).all()
    assert "no verdict" not in (tmp_path / "mine.html").read_text(encoding="utf-8")
