"""Time and memory by the number of subjects: ``python -m benchmarks.growth``, half an hour.

Trains, records and decodes experiments of 64 to 4,096 small perceptrons, each stage by a command in
a process of its own with one worker. Prints the processor time and the peak memory of each process,
the exponent of time (from a regression of its logarithm on that of the number of subjects), and the
growth of memory. What is measured is kept in runs/benchmarks/growth.json, from which ``--resume``
goes on after an interruption. Works on Linux. Writes docs/performance/growth.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring.machine import description, load
from benchmarks.measuring.tables import parser, show, table

KEPT = Path(__file__).parent.parent / "runs" / "benchmarks" / "growth.json"
SUBJECTS = [64, 256, 1024, 4096]
RULES = ("backprop", "feedback_alignment")
COHORT = 64  # subjects that are trained together
PROTOCOL = """\
schema_version: 1
name: growth
seed: 1
subjects:
  architectures: [{{name: mlp, hidden: [16]}}]
  tasks: [digits]
  rules: [{rules}]
  optimizer: {{name: sgd, momentum: 0.9, learning_rate: {{log_uniform: [0.003, 0.1]}}}}
  replicates: {replicates}
  batch_size: 32
  steps: 40
  visits: 3
  cohort: {cohort}
"""
PROBES = """\
probes:
  units_20: {units: 20}
"""
ANALYSES = """\
analyses:
  main:
    observables: [activity]
    classifiers: [linear_svm]
    permutations: 0
"""


@dataclass(frozen=True)
class Spent:
    """What one process took.

    Parameters
    ----------
    seconds : float
        Processor time, of its children too.
    elapsed : float
        Seconds.
    megabytes : float
        Peak of its resident memory.
    """

    seconds: float
    elapsed: float
    megabytes: float


def protocol(subjects: int, *parts: str) -> str:
    """Protocol of an experiment with so many subjects, and with these further parts."""
    text = PROTOCOL.format(rules=", ".join(RULES), replicates=subjects // len(RULES), cohort=COHORT)
    return "".join([text, *parts])


def spent(command: Sequence[str], folder: Path) -> Spent:
    """Run a command, and measure its process.

    Raises
    ------
    RuntimeError
        If the command fails, with the end of what it printed.
    """
    began = time.monotonic()
    with (folder / "printed.txt").open("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=printed)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed:\n{printed.read()[-2000:]}")
    seconds = usage.ru_utime + usage.ru_stime
    return Spent(seconds, time.monotonic() - began, usage.ru_maxrss / 1024)


def stages(subjects: int, folder: Path) -> dict[str, Spent]:
    """Train, record and decode so many subjects, each in a process of its own.

    Parameters
    ----------
    subjects : int
    folder : Path
        Empty, for the store.

    Returns
    -------
    dict
        By stage.
    """
    for name, parts in (
        ("training", ()),
        ("recording", (PROBES,)),
        ("decoding", (PROBES, ANALYSES)),
    ):
        text = protocol(subjects, *parts)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    lab = [sys.executable, "-m", "virtuallab"]
    store, one = "growth.zarr", ["--workers", "1"]
    return {
        "training": spent([*lab, "run", "training.yaml", "--store", store, *one], folder),
        "recording": spent([*lab, "probe", store, "--protocol", "recording.yaml", *one], folder),
        "decoding": spent([*lab, "decode", store, "--protocol", "decoding.yaml", *one], folder),
    }


def exponent(subjects: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of the logarithm of time over the logarithm of the number of subjects."""
    return float(np.polyfit(np.log(subjects), np.log(seconds), 1)[0])


def kilobytes_a_subject(subjects: Sequence[int], megabytes: Sequence[float]) -> float:
    """Slope of the peak memory over the number of subjects."""
    return float(np.polyfit(subjects, megabytes, 1)[0]) * 1024


def kept(file: Path) -> dict[int, dict[str, Spent]]:
    """What an earlier run has measured; nothing if there is no such file."""
    if not file.exists():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return {
        int(count): {stage: Spent(**spent) for stage, spent in by_stage.items()}
        for count, by_stage in found.items()
    }


def keep(found: dict[int, dict[str, Spent]], file: Path) -> None:
    """Write what is measured so far."""
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = {
        str(count): {stage: asdict(spent) for stage, spent in by_stage.items()}
        for count, by_stage in found.items()
    }
    file.write_text(json.dumps(plain), encoding="utf-8")


def rows(found: dict[int, dict[str, Spent]]) -> list[list[str]]:
    """A row for each stage."""
    counts = sorted(found)
    made = []
    for stage in found[counts[0]]:
        each = [found[count][stage] for count in counts]
        seconds = [one.seconds for one in each]
        megabytes = [one.megabytes for one in each]
        made.append(
            [
                stage,
                *(f"{one.seconds:,.0f} s, {one.megabytes:,.0f} MB" for one in each),
                f"{exponent(counts, seconds):.2f}",
                f"{exponent(counts[-2:], seconds[-2:]):.2f}",
                f"{kilobytes_a_subject(counts, megabytes):.0f}",
            ]
        )
    return made


def main() -> None:
    """Measure, and write a table."""
    made = parser(__doc__)
    made.add_argument("--subjects", type=int, nargs="+", default=SUBJECTS)
    made.add_argument("--resume", action="store_true", help="take what was measured before")
    options = made.parse_args()
    load_at_start = load()
    counts = [32, 64] if options.quick else sorted(options.subjects)
    earlier, found = kept(KEPT) if options.resume else {}, {}
    for count in counts:
        if count in earlier:
            found[count] = earlier[count]
            continue
        with tempfile.TemporaryDirectory() as folder:
            found[count] = stages(count, Path(folder))
        print(count, found[count], flush=True)
        if not options.quick:
            keep(found, KEPT)
    header = [
        "stage",
        *(f"{count:,} subjects" for count in counts),
        "exponent of time",
        f"from {counts[-2]:,} subjects",
        "KB a subject",
    ]
    lines = [
        *table(header, rows(found)),
        "",
        "Processor time and peak memory of each process; slopes of the logarithm of time over the "
        "logarithm of the number of subjects, of all numbers and of the last two; slope of memory. "
        f"`python -m benchmarks.growth`; perceptrons with one hidden layer of 16 units, {COHORT} "
        "in a cohort, 40 training steps, 3 visits, 20 recorded units, linear SVMs with all "
        "controls; one worker.",
        "",
        " ".join(description("torch", "scikit-learn", "zarr", load_at_start=load_at_start)),
    ]
    show("growth", lines, quick=options.quick)


if __name__ == "__main__":
    main()
