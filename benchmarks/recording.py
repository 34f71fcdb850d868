"""What probing and decoding take: ``python -m benchmarks.recording``, ten minutes.

Trains a few subjects of the quickstart's KNet4, and implants recording designs of several kinds in
them, one at a time and many at once, which take turns on one thread: a subject is prepared once for
all designs, so that the difference is what a further design takes. The values that a design records
are set beside the bandwidth of memory. Then every classifier is cross-validated on made-up samples
of more and more subjects. Writes docs/performance/recording_*.md.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import virtuallab as vl
from benchmarks.growth import exponent
from benchmarks.measuring.machine import copy_bandwidth, description, load
from benchmarks.measuring.tables import parser, show, table
from benchmarks.measuring.turns import Quartiles, in_turns, processor_seconds
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects, measured
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import resume
from virtuallab.lab.stages.reference import reference
from virtuallab.probes import Probe
from virtuallab.protocol import as_protocol
from virtuallab.registry import CLASSIFIERS
from virtuallab.store import Store

SUBJECTS = 160  # of the quickstart, for which designs a minute are given
RULES = ("backprop", "feedback_alignment", "information_alignment", "kolen_pollack")
DESIGNS: dict[str, dict[str, Any]] = {
    "units_20": {"units": 20, "observables": ["activity"]},
    "units_200": {"units": 200, "observables": ["activity"]},
    "units_200_noisy": {"units": 200, "observables": ["activity"], "noise": {"snr": 1.0}},
    "units_1000": {"units": 1000, "observables": ["activity"]},
    "synapses_200": {"synapses": 200, "observables": ["weights"]},
    "tetrode": {"device": "tetrode"},
    "two_photon": {"device": "two_photon"},
}
DECODED = [64, 256, 1024]
COLUMNS, VISITS = 420, 21
LONGEST = 40.0  # seconds of the processor that one cross-validation is expected to take


def protocol(steps: int, visits: int, replicates: int) -> dict[str, Any]:
    """Experiment with some of the quickstart's subjects, and a probe of each design."""
    return {
        "schema_version": 1,
        "name": "recording",
        "seed": 1,
        "subjects": {
            "architectures": ["knet4"],
            "tasks": ["digits"],
            "rules": list(RULES[:2] if replicates == 1 else RULES),
            "optimizer": {"name": "sgd", "learning_rate": 0.01},
            "replicates": replicates,
            "batch_size": 32,
            "steps": steps,
            "visits": visits,
            "cohort": 4,
        },
        "probes": DESIGNS,
        "analyses": {},
    }


@dataclass(frozen=True)
class Probing:
    """What one kind of design takes.

    Parameters
    ----------
    further : Quartiles
        Milliseconds of a further design in one subject.
    alone : Quartiles
        Milliseconds of the first design in one subject, its preparation included.
    megabytes : float
        Values that a design records in one subject.
    """

    further: Quartiles
    alone: Quartiles
    megabytes: float


def trained(folder: Path, *, quick: bool) -> tuple[PreservedSubjects, dict[str, Probe]]:
    """Subjects that are trained and preserved, and the designs."""
    steps, visits, replicates = (4, 3, 1) if quick else (100, VISITS, 2)
    plain = protocol(steps, visits, replicates)
    probes = dict(as_protocol(plain).probes)
    vl.run(plain | {"probes": {}}, store=folder / "recording.zarr", workers=1)
    subjects = PreservedSubjects.of(resume(Store.open(folder / "recording.zarr")), LocalPool(1))
    return subjects, probes


def probing(subjects: PreservedSubjects, probe: Probe, many: int, turns: int) -> Probing:
    """Measure one kind of design.

    Parameters
    ----------
    subjects : PreservedSubjects
    probe : Probe
    many : int
        Designs that are implanted at once, besides one alone; they differ in their units.
    turns : int

    Returns
    -------
    Probing
    """
    runs = [DesignRun(probe, seed, measured(probe)) for seed in range(many)]

    def record(count: int) -> None:
        for _ in subjects.record(runs[:count]):
            pass

    record(1)
    works = [partial(record, 1), partial(record, many)]
    one, all_ = in_turns(works, turns, clock=time.process_time).T
    further = (all_ - one) / (many - 1)
    count = len(subjects.members)
    return Probing(
        Quartiles.of(1e3 * further / count),
        Quartiles.of(1e3 * one / count),
        _recorded(subjects, probe),
    )


def _recorded(subjects: PreservedSubjects, probe: Probe) -> float:
    """Megabytes of the values that a design records in one subject."""
    plan, stream = subjects.plan, np.random.default_rng(0)
    group = plan.network_groups[0]
    [calibration] = reference(subjects.store, group, plan.protocol.seed).calibrations([probe])
    outline = group.outline(len(plan.visits))
    found = probe.implant(outline, stream).record(outline, stream, calibration)
    return sum(found[name].nbytes for name in found.data_vars) / 1e6


def samples(subjects: int, columns: int = COLUMNS) -> Samples:
    """Made-up features, of which a tenth differ between four rules."""
    stream = np.random.default_rng(0)
    number = np.arange(subjects) % len(RULES)
    values = stream.standard_normal((subjects, columns))
    values[:, : columns // 10] += 0.3 * number[:, None]
    labels = np.array(RULES)[number]
    return Samples(values, labels, np.arange(subjects), VISITS - 1)


def decoding_seconds(classifier: str, subjects: int, columns: int = COLUMNS) -> float:
    """Processor time of one nested cross-validation, settings chosen by inner folds."""
    made = samples(subjects, columns)
    work = partial(
        cross_validate,
        CLASSIFIERS[classifier](),
        made,
        sorted(RULES),
        folds=5,
        inner_folds=3,
        seed=0,
    )
    return processor_seconds(work)


def probing_table(found: dict[str, Probing], bandwidth: float) -> list[str]:
    """A row for each kind of design."""
    rows = []
    for name, each in found.items():
        speed = each.megabytes / each.further.median  # GB/s, that is MB per ms
        rows.append(
            [
                name,
                each.alone.text(),
                each.further.text(2),
                f"{60e3 / (SUBJECTS * each.further.median):,.0f}",
                f"{each.megabytes:.2f}",
                f"{1e3 * speed:.1f}",
                f"{100 * speed / bandwidth:.2g} %",
            ]
        )
    header = [
        "design",
        "ms of the first",
        "ms of a further one",
        f"designs a minute in {SUBJECTS} subjects",
        "MB recorded",
        "MB/s",
        "share of the bandwidth",
    ]
    return table(header, rows)


def decoding_table(found: dict[str, dict[int, float]], counts: Sequence[int]) -> list[str]:
    """A row for each classifier."""
    rows = []
    for name, seconds in found.items():
        cells = [f"{seconds[count]:.1f}" if count in seconds else "-" for count in counts]
        done = sorted(seconds)
        slope = exponent(done, [seconds[count] for count in done]) if len(done) > 1 else np.nan
        rows.append([name, *cells, f"{slope:.2f}"])
    return table(["classifier", *(f"{count:,} subjects" for count in counts), "exponent"], rows)


def decoded(counts: Sequence[int], classifiers: Sequence[str]) -> dict[str, dict[int, float]]:
    """Seconds of each classifier by the number of subjects; none that are expected to be long."""
    found: dict[str, dict[int, float]] = {}
    for name in classifiers:
        found[name] = {}
        for count in sorted(counts):
            # Time grows with the square of the number, or more slowly.
            last = max(found[name], default=count)
            if found[name].get(last, 0.0) * (count / last) ** 2 > LONGEST:
                break
            found[name][count] = decoding_seconds(name, count)
        print(name, found[name], flush=True)
    return found


def main() -> None:
    """Measure, and write two tables."""
    made = parser(__doc__)
    made.add_argument("--turns", type=int, default=7)
    made.add_argument("--subjects", type=int, nargs="+", default=DECODED, help="that are decoded")
    options = made.parse_args()
    load_at_start = load()
    torch.set_num_threads(1)
    many, turns, counts = (3, 2, [40]) if options.quick else (9, options.turns, options.subjects)
    bandwidth = copy_bandwidth()
    with tempfile.TemporaryDirectory() as folder:
        subjects, probes = trained(Path(folder), quick=options.quick)
        found = {}
        for name, probe in probes.items():
            found[name] = probing(subjects, probe, many, turns)
            print(name, found[name], flush=True)
        count = len(subjects.members)
        stimuli = subjects.plan.network_groups[0].n_stimuli
    decoding = decoded(counts, ["linear_svm"] if options.quick else sorted(CLASSIFIERS))
    machine = description("torch", "scikit-learn", load_at_start=load_at_start)
    end = ["", " ".join(machine)]
    lines = [
        *probing_table(found, bandwidth),
        "",
        f"Milliseconds of the processor for one subject with {VISITS} visits and {stimuli} "
        "stimuli, for the first design, which includes the preparation of the subject (its states "
        f"read, all stimuli shown), and for each further one, as the median over {turns} turns "
        f"with quartiles; {count} subjects of a KNet4, recorded and reduced to features by one "
        "process. A design's speed is that of the values it records, beside the bandwidth of "
        f"copying an array, {bandwidth:.0f} GB/s. `python -m benchmarks.recording`.",
        *end,
    ]
    show("recording_designs", lines, quick=options.quick)
    lines = [
        *decoding_table(decoding, sorted(counts)),
        "",
        f"Processor time in seconds of one cross-validation by subject, {COLUMNS} features, four "
        "rules, 5 folds with settings chosen by 3 inner folds, and the slope of its logarithm over "
        "that of the number of subjects. A cross-validation that would take more than "
        f"{LONGEST:.0f} s if time grew with the square was left out. `python -m "
        "benchmarks.recording`.",
        *end,
    ]
    show("recording_decoding", lines, quick=options.quick)


if __name__ == "__main__":
    main()
