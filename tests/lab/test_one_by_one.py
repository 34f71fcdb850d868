"""Networks that cannot be one population run from a protocol, one by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import virtuallab as vl

PROTOCOL = """\
schema_version: 1
name: alone
seed: 3
subjects:
  architectures: [mixing]
  tasks: [{name: digits, train_images: 16, validation_images: 10, probe_images: 10}]
  rules: [backprop, feedback_alignment]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  batch_size: 8
  steps: 3
  visits: 3
  cohort: 1
probes:
  p: {observables: [activity, weights, activity_change], units: 4}
analyses:
  a: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, permutations: 0}
"""
MIXING = '''\
"""A network that normalises over channels."""

from dataclasses import dataclass

import torch

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture


class Mixing(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 3, 3)
        self.gain = torch.nn.Parameter(torch.ones(3, 1, 1))
        self.fc = torch.nn.Linear(108, classes)

    def forward(self, x):
        return self.fc((self.gain * self.conv(x).softmax(1)).flatten(1))


@ARCHITECTURES.register("mixing")
@dataclass(frozen=True, kw_only=True)
class MixingNetwork(Architecture):
    """A network that normalises over channels."""

    def build(self, stimulus_shape, classes):
        return Mixing(classes)
'''


def virtuallab(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "virtuallab", *words, "--plugin", "mixing.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_network_that_mixes_channels_runs_one_by_one_and_is_refused_otherwise(
    tmp_path: Path,
) -> None:
    (tmp_path / "mixing.py").write_text(MIXING, encoding="utf-8")
    (tmp_path / "alone.yaml").write_text(PROTOCOL, encoding="utf-8")
    together = PROTOCOL.replace("cohort: 1", "cohort: measured")
    (tmp_path / "together.yaml").write_text(together, encoding="utf-8")
    refused = virtuallab(tmp_path, "validate", "together.yaml")
    assert refused.returncode == 2
    said = " ".join(refused.stderr.split())
    assert "subjects.architectures[0]: networks of mixing cannot be one population" in said
    assert "the network keeps parameters of its own" in said
    assert "write 'cohort: 1' under subjects" in said
    done = virtuallab(tmp_path, "run", "alone.yaml")
    assert done.returncode == 0, done.stderr
    tree = vl.open(tmp_path / "runs" / "alone.zarr")
    assert tree["subjects"]["status"].values.tolist() == [1] * 8, "done"
    recorded = tree["recordings/p/mixing"]
    assert recorded.sizes["subject"] == 8
    assert recorded["activity"].notnull().all()
    assert recorded["activity_change"].notnull().any("layer").all(), (
        "a layer without units has none"
    )
