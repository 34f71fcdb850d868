"""What the statistics cost beside their definitions: ``python -m benchmarks.statistics``, a minute.

The 21 statistics of activity, as the lab computes them and as numpy and scipy define them, take
turns on the same arrays, on one thread; the figure is the median over turns of the ratio. Both
results are compared. Quote ratios: times belong to a machine.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.stats

from virtuallab.probes.statistics.published import FUNCTIONS, summary_statistics

# Visits, stimuli and units of one layer, and whether a rectifier follows it.
CASES = {
    "a network of the quickstart, 1,024 units": ((21, 64, 1024), True),
    "200 units": ((21, 64, 200), True),
    "200 units with noise": ((21, 64, 200), False),
    "a large layer, 20,000 units": ((5, 16, 20_000), True),
    "a layer's 4,608 weights": ((21, 4608), False),
}


def defined(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return every statistic by its definition, over the last axis."""
    found: dict[str, np.ndarray] = {}
    exact = values.astype(np.float64)
    for function, entries in zip(FUNCTIONS, (np.abs(exact), exact, exact**2), strict=True):
        # Ranks that count from the largest value, as published.
        median, third = (
            -np.quantile(-entries, 1 - share, axis=-1, method="nearest") for share in (0.5, 0.75)
        )
        mean, deviation = np.mean(entries, -1), np.std(entries, -1)
        found |= {
            f"{function}_mean": mean,
            f"{function}_var": np.var(entries, -1),
            f"{function}_median": median,
            f"{function}_thirdquartile": third,
            f"{function}_norm": np.linalg.norm(entries, axis=-1),
            f"{function}_skew": 3 * (mean - median) / deviation,
            f"{function}_kurtosis": scipy.stats.kurtosis(entries, axis=-1, fisher=False),
        }
    return found


def entries(shape: tuple[int, ...], rectified: bool) -> np.ndarray:
    """Numbers like responses or weights."""
    values = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    return np.maximum(values, 0) if rectified else values


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    turns = parser.parse_args().turns
    print(f"{'entries':42} {'lab':>9} {'defined':>9} {'ratio':>6}  largest relative difference")
    for name, (shape, rectified) in CASES.items():
        values = entries(shape, rectified)
        ours, plain = summary_statistics(values), defined(values)
        apart = max(
            float(np.max(np.abs(ours[each] - plain[each]) / (np.abs(plain[each]) + 1e-12)))
            for each in plain
        )
        pairs = [
            (seconds(partial(summary_statistics, values)), seconds(partial(defined, values)))
            for _ in range(turns)
        ]
        lab, definition = (float(np.median(column)) for column in zip(*pairs, strict=True))
        ratio = float(np.median([other / one for one, other in pairs]))
        print(
            f"{name:42} {1e3 * lab:6.1f} ms {1e3 * definition:6.1f} ms {ratio:5.1f}x  {apart:.1e}"
        )


if __name__ == "__main__":
    main()
