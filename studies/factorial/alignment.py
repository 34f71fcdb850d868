"""Settings by which backward weights align: ``python -m studies.factorial.alignment``, ten minutes.

One subject of each kind of protocols/nayebi2020.yaml, of another seed and one learning rate, learns
by feedback alignment, and by information alignment with several settings. They are compared by the
angle of forward and backward weights. Nothing is recorded or decoded. Writes
docs/science/results/factorial_alignment.md.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import xarray as xr
from rich.console import Console

import virtuallab as vl
from studies.factorial.pages import OF_ANGLES, degrees, table
from studies.factorial.subjects import ANGLES
from virtuallab.labels import label_text
from virtuallab.vocabulary import DIVERGED, LAYER, PERFORMANCE, RULE

ROOT: Final = Path(__file__).parents[2]
PROTOCOL: Final = ROOT / "protocols" / "nayebi2020.yaml"
STRENGTHS: Final = {"amp": 1.0, "null": 0.2, "decay": 0.5}  # of the protocol

# Learning rate of the backward weights, which learn by Adam, and other settings.
SETTINGS: Final[Mapping[str, tuple[float, Mapping[str, Any]]]] = {
    "own activity, 0.001": (0.001, {}),
    "own activity, 0.015": (0.015, {}),
    "own activity, centred, 0.015": (0.015, {"centre": True}),
    "noise, 0.004": (0.004, {"activity": "noise"}),
    "noise, 0.015": (0.015, {"activity": "noise"}),
}
FIXED: Final = "feedback alignment"


def overrides() -> tuple[str, ...]:
    """Changes of the protocol of the factorial."""
    rules: list[dict[str, Any]] = [{"name": "feedback_alignment", "label": FIXED}]
    for label, (rate, settings) in SETTINGS.items():
        optimizer = {"name": "adam", "learning_rate": rate}
        chosen = {**STRENGTHS, **settings, "feedback_optimizer": optimizer}
        rules.append({"name": "information_alignment", "label": label, **chosen})
    return (
        "name=nayebi2020_alignment",
        "seed=77",
        f"subjects.rules={json.dumps(rules)}",
        "subjects.optimizer={name: sgd, momentum: 0.9, learning_rate: 0.03}",
        "subjects.seeds={model: 1, data: 1}",
        "subjects.batch_size=32",
        "subjects.visits=2",
        "probes={}",
        "compare={}",
    )


def rows(subjects: xr.Dataset, truth: xr.Dataset) -> Iterator[list[str]]:
    """Yield a row for each setting: subjects that diverged, angles and performance of the others.

    Parameters
    ----------
    subjects : xr.Dataset
        Rule and status, dims (subject).
    truth : xr.Dataset
        Angles (degrees), dims (subject, visit, layer), and performance, dims (subject, visit).
    """
    rules, last = label_text(subjects[RULE]), truth.isel(visit=-1)
    diverged = subjects["status"].to_numpy() == DIVERGED
    angles = last[list(ANGLES)].mean(LAYER)
    performance = last[PERFORMANCE].to_numpy()
    for label in (FIXED, *SETTINGS):
        mine = rules == label
        kept = mine & ~diverged
        found = (degrees(angles[name].to_numpy()[kept]) for name in ANGLES)
        count = f"{(diverged & mine).sum()} of {mine.sum()}"
        yield [label, count, *found, f"{performance[kept].mean():.2f}"]


def main() -> None:
    """Train, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs/nayebi2020_alignment.zarr"))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "science" / "results")
    parser.add_argument("-s", "--set", action="append", default=[], help="override a setting")
    asked = parser.parse_args()
    os.chdir(ROOT)
    tree = vl.run(PROTOCOL, (*overrides(), *asked.set), store=asked.store, verbose=Console())
    header = ["backward weights", "diverged", *OF_ANGLES, "mean performance"]
    subjects, truth = (tree[node].to_dataset().load() for node in ("subjects", "truth"))
    lines = table(header, list(rows(subjects, truth)))
    asked.results.mkdir(parents=True, exist_ok=True)
    (asked.results / "factorial_alignment.md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
