"""Memory that one large subject takes: ``python -m benchmarks.large_subject``, some minutes.

Runs an experiment with one ResNet-34 of full width (torchvision's, 21 million weights) on random
images, once with few and once with many visits, recorded during training (``subjects.preserve:
false``) and preserved, each in a process of its own, and prints the peak of its resident memory,
during training and of the whole run, and what the store takes on the disk. The training is the same
whatever the number of visits, so that a difference in memory is due to the visits. Works on Linux.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

import virtuallab as vl
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture
from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.task import Task

ROOT = Path(__file__).parent.parent
STEPS = 20


@ARCHITECTURES.register("large_resnet34")
@dataclass(frozen=True, kw_only=True)
class LargeResNet34(Architecture):
    """ResNet-34 as torchvision builds it."""

    family: ClassVar[str] = "resnet"

    def build(self, stimulus_shape: tuple[int, int, int], outputs: int) -> torch.nn.Module:
        """Network for images of three channels."""
        made: torch.nn.Module = torchvision().models.resnet34(weights=None, num_classes=outputs)
        return made


@TASKS.register("random_images")
@dataclass(frozen=True, kw_only=True)
class RandomImages(Task):
    """Random images of ten classes."""

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 64, 64)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images of independent pixels."""
        stream = np.random.default_rng(0)
        images = stream.standard_normal((40, *self.stimulus_shape), dtype=np.float32)
        return images, np.arange(40) % 10


def protocol(visits: int, preserve: bool) -> dict[str, object]:
    """Return an experiment with one subject, which is recorded in 7,200 units: 200 a layer."""
    return {
        "schema_version": 1,
        "name": "large",
        "seed": 1,
        "subjects": {
            "architectures": ["large_resnet34"],
            "tasks": [
                {
                    "name": "random_images",
                    "train_images": 16,
                    "validation_images": 10,
                    "probe_images": 10,
                }
            ],
            "rules": ["backprop"],
            "optimizer": {"name": "sgd", "learning_rate": 0.001},
            "replicates": 1,
            "batch_size": 8,
            "steps": STEPS,
            "visits": visits,
            "cohort": 1,
            "preserve": preserve,
        },
        "probes": {"many": {"units": 7200, "synapses": 7200, "division": "even"}},
        "analyses": {},
    }


def child(visits: int, preserve: bool, folder: Path) -> None:
    """Run the experiment and print its peaks of memory, the size of its store and its time."""
    torch.set_num_threads(1)
    began, store = time.monotonic(), folder / "large.zarr"
    peaks: dict[str, float] = {}

    def note(stage: str, finished: int, _: int) -> None:
        """Take the peak since training began when it ends."""
        if stage == "subjects trained":
            peaks["training" if finished else "before"] = peak()
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew

    vl.run(protocol(visits, preserve), store=store, workers=1, progress=note)
    peaks["after"] = peak()
    size = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    row = [peaks["training"], max(peaks.values()), size / 1e6, time.monotonic() - began]
    print(json.dumps(row))


def peak() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    status = Path("/proc/self/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def measured(visits: int, preserve: bool) -> list[float]:
    """Run the experiment in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.large_subject", "--child", folder]
        command += ["--visits", str(visits)]
        command += ["--preserve"] if preserve else []
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print a row for each number of visits, in both modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, nargs="+", default=[3, 21])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--preserve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.visits[0], asked.preserve, asked.child)
        return
    print("  subjects  visits  training MB  whole MB  store MB  seconds")
    for preserve in (False, True):
        for visits in asked.visits:
            training, whole, size, seconds = measured(visits, preserve)
            mode = "preserved" if preserve else "live"
            print(
                f"{mode:>10} {visits:>7} {training:>12.0f} {whole:>9.0f} {size:>9.0f} "
                f"{seconds:>8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
