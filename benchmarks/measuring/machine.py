"""The machine of a benchmark: its name, its load and the limits that its speed has."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring.turns import processor_seconds

SIZES = (256, 512, 1024, 2048)  # rows of the square matrices among which the fastest is found
GIGA = 1e9


def matrix_product(size: int) -> Callable[[], object]:
    """Function that multiplies two square matrices in single precision (sgemm)."""
    stream = torch.Generator().manual_seed(0)
    a, b = (torch.randn(size, size, generator=stream) for _ in range(2))
    out = torch.empty(size, size)
    return partial(torch.mm, a, b, out=out)


def fastest_product(sizes: tuple[int, ...] = SIZES, tries: int = 5) -> tuple[int, float]:
    """Size of the fastest square product, and its speed in GFLOP/s of one thread."""
    speed = {}
    for size in sizes:
        work, calls = matrix_product(size), max(1, (1024 // size) ** 3)
        work()
        least = min(processor_seconds(work, calls) for _ in range(tries))
        speed[size] = 2 * size**3 / least / GIGA
    best = max(speed, key=lambda size: speed[size])
    return best, speed[best]


def copy_bandwidth(megabytes: int = 256, tries: int = 5) -> float:
    """Bytes that one thread reads and writes per second as it copies an array, in GB/s."""
    source = np.ones(megabytes * 2**20 // 8)
    target = np.zeros_like(source)
    work = partial(np.copyto, target, source)
    return 2 * source.nbytes / min(processor_seconds(work) for _ in range(tries)) / GIGA


def processor() -> str:
    """Name of the processor's model, with what distinguishes models of one name."""
    found: dict[str, str] = {}
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    name = found.get("model name") or platform.processor() or platform.machine()
    family, model = found.get("cpu family"), found.get("model")
    return f"{name} (family {family}, model {model})" if family and model else name


def available_memory() -> float:
    """Memory that new processes may take, in MB; infinite if it is not known."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return float("inf")
    lines = info.read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith("MemAvailable")]
    return int(line.split()[1]) / 1024


def load() -> float:
    """Mean number of processes that wanted to run in the last minute."""
    return os.getloadavg()[0]


def description(*packages: str, load_at_start: float) -> Iterator[str]:
    """Sentences that name the machine and the versions of these packages.

    Parameters
    ----------
    *packages : str
        Distributions whose versions are named.
    load_at_start : float
        :func:`load` before the benchmark began.

    Yields
    ------
    str
    """
    yield f"Processor: {processor()}, {os.cpu_count()} cores."
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    yield f"Python {platform.python_version()}, {versions}; {_commit()}."
    if load_at_start >= 0.5:
        yield f"When the benchmark began, {load_at_start:.1f} other processes ran on the machine."


def _commit() -> str:
    """Version of virtuallab, with its commit where there is a repository."""
    here = Path(__file__).parent
    done = subprocess.run(
        ["git", "describe", "--always", "--abbrev=10"], cwd=here, capture_output=True, text=True
    )
    commit = done.stdout.strip()
    return f"virtuallab {version('virtuallab')}" + (f" at commit {commit}" if commit else "")
