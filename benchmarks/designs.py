"""What a hundred recording designs take: ``python -m benchmarks.designs``, some minutes.

Tries 100 designs (units x noise x visits) in the quickstart's subjects, features, decoding and
controls included, and prints the time and the peak memory, those of a quarter of the designs beside
them, and whether a subject was touched. Subjects are trained first where they are not preserved.
Works on Linux. Writes docs/performance/designs.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from joblib.externals.loky import get_reusable_executor

from benchmarks.measuring.machine import description, load
from benchmarks.measuring.memory import watched
from benchmarks.measuring.tables import parser, show, table
from virtuallab.lab.designs.compare import compare
from virtuallab.lab.run import run

ROOT = Path(__file__).parent.parent
QUICKSTART = ROOT / "protocols" / "quickstart.yaml"
SUBJECTS = ROOT / "runs" / "quickstart.zarr"
UNITS = [10, 30, 50, 100, 200]
RATIOS = [0.1, 0.3, 1.0, 3.0, 10.0]
VISITS = [3, 5, 9, 21]


def section(visits: list[int]) -> str:
    """Return the protocol's part that names the designs."""
    return (
        "\ncompare:\n  seeds: 1\n  designs:\n    grid:\n      observables: [activity]\n"
        f"      units: {UNITS}\n      noise: {{snr: {RATIOS}}}\n      visits: {{grid: {visits}}}\n"
    )


@dataclass(frozen=True)
class Spent:
    """What a comparison of designs took.

    Parameters
    ----------
    designs : int
    seconds : float
        Processor time, of all processes.
    minutes : float
        Elapsed.
    megabytes : float
        Peak of the memory of all processes.
    """

    designs: int
    seconds: float
    minutes: float
    megabytes: float


def compared(visits: list[int], workers: int) -> Spent:
    """Compare designs in this process and its children.

    Parameters
    ----------
    visits : list of int
        Numbers of visits that are recorded.
    workers : int
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # Nothing that was tried before is found here.
        for name in ("quickstart.zarr", "quickstart.records"):
            (place / name).symlink_to(SUBJECTS.with_name(name))
        protocol = place / "hundred.yaml"
        text = QUICKSTART.read_text(encoding="utf-8").replace("name: quickstart", "name: hundred")
        protocol.write_text(text + section(visits), encoding="utf-8")
        began, before = time.monotonic(), os.times()
        with watched() as peak:
            found = compare(protocol, subjects=place / "quickstart.zarr", workers=workers)
            get_reusable_executor().shutdown()  # the times of its processes are known at their end
        after = os.times()
    seconds = sum(after[:4]) - sum(before[:4])
    minutes = (time.monotonic() - began) / 60
    return Spent(found.sizes["design"], seconds, minutes, peak.megabytes)


def in_a_process(visits: list[int], workers: int) -> Spent:
    """Compare designs in a process of its own, whose peak of memory is that of no other."""
    command = [sys.executable, "-m", "benchmarks.designs", "--workers", str(workers), "--compare"]
    done = subprocess.run(
        [*command, *map(str, visits)], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def preserved_files() -> dict[Path, int]:
    """Time at which each file of the preserved states was changed."""
    return {file: file.stat().st_mtime_ns for file in (SUBJECTS / "snapshots").rglob("*")}


def main() -> None:
    """Write a row for a quarter of the designs and one for all."""
    made = parser(__doc__)
    made.add_argument("--workers", type=int, default=2)
    made.add_argument("--compare", type=int, nargs="+", help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.compare:
        print(json.dumps(asdict(compared(options.compare, options.workers))))
        return
    load_at_start = load()
    if not SUBJECTS.exists():
        run(QUICKSTART, store=SUBJECTS, workers=options.workers)
    before, rows = preserved_files(), []
    for visits in (VISITS[:1],) if options.quick else (VISITS[:1], VISITS):
        spent = in_a_process(visits, options.workers)
        each = 60 * spent.designs / spent.seconds
        rows.append(
            [f"{spent.designs}", f"{spent.seconds:.0f}", f"{each:.0f}", f"{spent.megabytes:.0f}"]
        )
        print(spent, flush=True)
    touched = "no subject was trained" if preserved_files() == before else "SUBJECTS CHANGED"
    lines = [
        *table(["designs", "seconds", "designs a minute", "peak memory, MB"], rows),
        "",
        f"Processor time of all processes ({options.workers} at once), designs in a minute of it, "
        f"and the memory of all together; {touched}. `python -m benchmarks.designs`.",
        "",
        " ".join(description("torch", "scikit-learn", load_at_start=load_at_start)),
    ]
    show("designs", lines, quick=options.quick)


if __name__ == "__main__":
    main()
