"""What a hundred recording designs take: ``python benchmarks/designs.py``, some minutes.

Tries 100 designs (units x noise x visits) in the quickstart's subjects, features, decoding and
controls included, and prints the time and the peak memory, those of a quarter of the designs beside
them, and whether a subject was touched. Subjects are trained first where they are not preserved.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
QUICKSTART = ROOT / "protocols" / "quickstart.yaml"
SUBJECTS = ROOT / "runs" / "quickstart.zarr"
UNITS = [10, 30, 50, 100, 200]
RATIOS = [0.1, 0.3, 1.0, 3.0, 10.0]
VISITS = [3, 5, 9, 21]

MEASURED = """\
import os, sys, threading, time
from pathlib import Path
from virtuallab.lab.designs.compare import compare
peak, stop = 0.0, threading.Event()
def resident(pid):
    # Children too: what they share with one another is counted once, by its share.
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, ProcessLookupError):
        return 0.0
    mine = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return mine / 1024 + sum(map(resident, children))
def watch():
    global peak
    while not stop.wait(0.5):
        peak = max(peak, resident(os.getpid()))
watcher = threading.Thread(target=watch)
watcher.start()
began = time.monotonic()
try:
    found = compare(Path(sys.argv[1]), subjects=Path(sys.argv[2]), workers=int(sys.argv[3]))
finally:
    stop.set(); watcher.join()
print(found.sizes["design"], time.monotonic() - began, peak)
"""


def section(visits: list[int]) -> str:
    """Return the protocol's part that names the designs."""
    return (
        "\ncompare:\n  seeds: 1\n  designs:\n    grid:\n      observables: [activity]\n"
        f"      units: {UNITS}\n      noise: {{snr: {RATIOS}}}\n      visits: {{grid: {visits}}}\n"
    )


def measured(visits: list[int], workers: int) -> tuple[int, float, float]:
    """Designs tried, seconds, and megabytes at the peak, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # Nothing that was tried before is found here.
        for name in ("quickstart.zarr", "quickstart.records"):
            (place / name).symlink_to(SUBJECTS.with_name(name))
        protocol = place / "hundred.yaml"
        text = QUICKSTART.read_text(encoding="utf-8").replace("name: quickstart", "name: hundred")
        protocol.write_text(text + section(visits), encoding="utf-8")
        command = [sys.executable, "-c", MEASURED, str(protocol), str(place / "quickstart.zarr")]
        done = subprocess.run(
            [*command, str(workers)], check=True, capture_output=True, text=True, cwd=place
        )
    count, seconds, megabytes = done.stdout.split()[-3:]
    return int(count), float(seconds), float(megabytes)


def main() -> None:
    """Print a row for a quarter of the designs and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    if not SUBJECTS.exists():
        from virtuallab.lab.run import run

        run(QUICKSTART, store=SUBJECTS, workers=workers)
    preserved = sorted((SUBJECTS / "snapshots").rglob("*"))
    before = {file: file.stat().st_mtime_ns for file in preserved}
    print(f"{'designs':>8} {'minutes':>8} {'peak MB':>8}   ({workers} processes)")
    for visits in (VISITS[:1], VISITS):
        count, seconds, megabytes = measured(visits, workers)
        print(f"{count:8} {seconds / 60:8.1f} {megabytes:8.0f}")
    after = {file: file.stat().st_mtime_ns for file in preserved}
    print("no subject was trained" if before == after else "SUBJECTS CHANGED")


if __name__ == "__main__":
    main()
