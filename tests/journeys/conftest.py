from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROTOCOL = """\
# A small experiment, for tests.
schema_version: 1
name: small
question: Does everything hold together?
seed: 3
subjects:
  architectures: [{name: knet4, channels: [3, 4, 4]}, {name: mlp, hidden: [12]}]
  tasks: [{name: digits, train_images: 160, validation_images: 40, probe_images: 20}]
  rules:
    - {name: backprop, label: sgdm}
    - feedback_alignment
  optimizer: {name: sgd, learning_rate: {log_uniform: [0.01, 0.1]}}
  replicates: 4
  batch_size: 16
  epochs: 3
  visits: 4
  cohort: 3
probes:
  whole: {keep: statistics}
  sparse: {units: 20, noise: {snr: 2.0}, visits: 3}
analyses:
  main: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, permutations: 1}
"""


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


@pytest.fixture
def virtuallab(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as a user does, in a folder of its own."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "virtuallab", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "100", **environment},
        )

    return run
