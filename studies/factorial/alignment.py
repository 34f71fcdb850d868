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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import xarray as xr
from rich.console import Console

import virtuallab as vl
from studies.factorial.pages import OF_ANGLES, degrees, table, write_page
from studies.factorial.subjects import ANGLES
from virtuallab.labels import label_text
from virtuallab.protocol import read
from virtuallab.vocabulary import DIVERGED, LAYER, PERFORMANCE, RULE

ROOT: Final = Path(__file__).parents[2]
PROTOCOL: Final = ROOT / "protocols" / "nayebi2020.yaml"
STRENGTHS: Final = ("amp", "null", "decay")  # as in the protocol

FIXED: Final = "fixed"


@dataclass(frozen=True)
class Setting:
    """Settings of information alignment, and their name in the table."""

    name: str
    rate: float  # of the backward weights, which learn by Adam
    others: Mapping[str, Any] = field(default_factory=dict)


SETTINGS: Final = {
    "own_001": Setting("own activity, rate 0.001", 0.001),
    "own_015": Setting("own activity, rate 0.015", 0.015),
    "centred_015": Setting("own centred activity, rate 0.015", 0.015, {"centre": True}),
    "noise_004": Setting("noise, rate 0.004", 0.004, {"activity": "noise"}),
    "noise_015": Setting("noise, rate 0.015", 0.015, {"activity": "noise"}),
}


def overrides() -> tuple[str, ...]:
    """Changes of the protocol of the factorial."""
    entries = read(PROTOCOL).subjects.rules
    given = next(each.rule.build() for each in entries if each.label == "information")
    strengths = {name: getattr(given, name) for name in STRENGTHS}
    rules: list[dict[str, Any]] = [{"name": "feedback_alignment", "label": FIXED}]
    for label, setting in SETTINGS.items():
        optimizer = {"name": "adam", "learning_rate": setting.rate}
        chosen = {**strengths, **setting.others, "feedback_optimizer": optimizer}
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
        "compare=null",
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
    names = {FIXED: "fixed", **{label: setting.name for label, setting in SETTINGS.items()}}
    for label, name in names.items():
        mine = rules == label
        kept = mine & ~diverged
        found = (degrees(angles[each].to_numpy()[kept]) for each in ANGLES)
        count = f"{(diverged & mine).sum()} of {mine.sum()}"
        yield [name, count, *found, f"{performance[kept].mean():.2f}"]


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
    write_page(asked.results, "alignment", lines)


if __name__ == "__main__":
    main()
