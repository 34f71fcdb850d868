"""Training steps with and without memory that the C library keeps from step to step.

Run with ``python -m benchmarks.allocator``. Processes of both kinds take turns; each trains cohorts
of a KNet4 on one thread. Times are of the processor, the ratio is the median over turns with its
quartiles, and page faults are those of one step of a cohort.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring.nets import subjects, training_step
from benchmarks.measuring.turns import Quartiles, processor_seconds
from virtuallab.lab.services.allocator import keep_freed_memory

ROOT = Path(__file__).parent.parent
HOW = ("as it is", "kept")


def measure(size: int, steps: int = 100) -> tuple[float, float]:
    """Microseconds of a subject's step, and page faults of a step of the cohort."""
    step = training_step(subjects("knet4 8-16-16, 8x8", "backprop", size))
    for _ in range(10):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    times = [processor_seconds(step) for _ in range(steps)]
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return float(np.median(times)) / size * 1e6, faults / steps


def in_a_process(how: str, sizes: list[int]) -> list[list[float]]:
    """Measurements of a new process, (size, time or faults)."""
    command = [sys.executable, "-m", "benchmarks.allocator", "--measure", how]
    command += ["--sizes", *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    measured: list[list[float]] = json.loads(done.stdout)
    return measured


def main() -> None:
    """Take turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 32, 64])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--measure", choices=HOW, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.measure:
        if options.measure == "kept":
            keep_freed_memory()
        print(json.dumps([measure(size) for size in options.sizes]))
        return
    found = np.array(
        [[in_a_process(how, options.sizes) for how in HOW] for _ in range(options.turns)]
    )  # (turn, how, size, time or faults)
    print("us of a subject's step, page faults of a step: as it is, and with memory kept")
    print(f"{'S':>3} {'us':>7} {'us kept':>8} {'faults':>7} {'kept':>5}   time / time kept")
    for place, size in enumerate(options.sizes):
        (us, faults), (us_kept, faults_kept) = np.median(found[:, :, place], 0)
        ratio = Quartiles.of(found[:, 0, place, 0] / found[:, 1, place, 0])
        print(
            f"{size:3} {us:7.0f} {us_kept:8.0f} {faults:7.0f} {faults_kept:5.0f}   {ratio.text(2)}"
        )


if __name__ == "__main__":
    main()
