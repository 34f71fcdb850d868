"""Training steps with and without memory that the C library keeps from step to step.

Run with ``python benchmarks/allocator.py``. Processes of both kinds take turns; each trains cohorts
of a KNet4 on one thread. Times are of the processor, the ratio is the median over turns with its
quartiles, and page faults are those of one step of a cohort.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from itertools import count

import numpy as np
import torch

from virtuallab.lab.services.allocator import keep_freed_memory
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.trainer import CohortTrainer

HOW = ("as it is", "kept")


def measure(size: int, steps: int = 100) -> tuple[float, float]:
    """Microseconds of a subject's step, and page faults of a step of the cohort."""
    trainer = CohortTrainer(
        Cohort(
            tuple(
                Subject(
                    architecture=ARCHITECTURES["knet4"](),
                    task=TASKS["digits"](),
                    rule=RULES["backprop"](),
                    optimizer=OPTIMIZERS["sgd"](learning_rate=1e-3),
                    label="backprop",
                    batch_size=32,
                    steps=2 * steps,
                    replicate=number,
                    seed=0,
                )
                for number in range(size)
            )
        ),
        torch.float32,
        "cpu",
    )
    batches, step = trainer.batches(), count()
    for _ in range(10):
        trainer.training_step(*next(batches), next(step))
    times, before = [], resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        began = time.process_time()
        trainer.training_step(*next(batches), next(step))
        times.append(time.process_time() - began)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return float(np.median(times)) / size * 1e6, faults / steps


def in_a_process(how: str, sizes: list[int]) -> list[list[float]]:
    """Measurements of a new process, (size, time or faults)."""
    command = [sys.executable, __file__, "--measure", how, "--sizes", *map(str, sizes)]
    measured: list[list[float]] = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
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
        low, ratio, high = np.quantile(
            found[:, 0, place, 0] / found[:, 1, place, 0], [0.25, 0.5, 0.75]
        )
        print(
            f"{size:3} {us:7.0f} {us_kept:8.0f} {faults:7.0f} {faults_kept:5.0f}"
            f"   {ratio:.2f} [{low:.2f}, {high:.2f}]"
        )


if __name__ == "__main__":
    main()
