"""Which networks learn which tasks by which rules? ``python studies/kinds.py``, some hours.

Tunes the learning rates of protocols/kinds.yaml for each kind of subject and rule, and in a second
search the strengths of information alignment with its learning rate. Trains new subjects with the
best values, and compares their final performance with that of subjects whose hidden layers do not
change. Interrupted, it continues where it stopped; names of kinds as arguments select some of them.
Writes docs/science/results/kinds.md when all are done.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from scipy.stats import ttest_ind

import virtuallab as vl
from virtuallab.labels import label_text
from virtuallab.protocol import PluginSpec, Protocol, read
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.vocabulary import PERFORMANCE, RULE, VISIT

ROOT = Path(__file__).parent.parent
PROTOCOL = Path("protocols/kinds.yaml")
RESULT = ROOT / "docs" / "science" / "results" / "kinds.md"
CONTROL = "frozen"
CONFIDENCE = 0.95
TUNED = "information_tuned"
STRENGTHS = ("amp", "null", "decay")
# Strengths are open beside the learning rate, so that this search has more trials.
OPEN_STRENGTHS = [
    "subjects.rules=[{name: information_alignment, label: information_tuned, "
    "amp: {log_uniform: [0.01, 2.0]}, 'null': {log_uniform: [0.002, 0.4]}, "
    "decay: {log_uniform: [0.005, 1.0]}}]",
    "subjects.cohort=12",
    "search.trials=24",
    "search.generation=12",
]


@dataclass(frozen=True)
class Kind:
    """One network and the task that it learns."""

    architecture: PluginSpec
    task: PluginSpec

    @property
    def name(self) -> str:
        """Name of the experiment."""
        norm = self.architecture.settings.get("normalisation")
        variant = "_lrn" if norm == "local_response" else ""
        return f"kinds_{self.architecture.plugin.name}{variant}_{self.task.plugin.name}"

    @property
    def overrides(self) -> list[str]:
        """Settings that narrow the protocol to this kind."""
        return [
            f"subjects.architectures=[{json.dumps(plain(self.architecture))}]",
            f"subjects.tasks=[{json.dumps(plain(self.task))}]",
        ]

    def final(self, workers: int | None) -> pd.DataFrame:
        """Rule, settings and final performance of new subjects at the best settings."""
        fixed = self._tuned(self.name, self.overrides, workers)
        tuned = self._tuned(f"{self.name}_strengths", [*self.overrides, *OPEN_STRENGTHS], workers)
        return pd.concat([fixed, tuned])

    def _tuned(self, name: str, overrides: list[str], workers: int | None) -> pd.DataFrame:
        """Tune the open settings, and train new subjects with the best ones."""
        vl.search(PROTOCOL, [f"name={name}", *overrides], workers=workers, verbose=Console())
        tuned, store = Path(f"runs/{name}.tuned.yaml"), Path(f"runs/{name}.zarr")
        tree = vl.run(tuned, store=store, workers=workers, verbose=Console())
        subjects = tree["subjects"].to_dataset()
        columns = {
            each: subjects[each].to_numpy()
            for each in ("learning_rate", *STRENGTHS)
            if each in subjects
        }
        final = tree["truth"].to_dataset()[PERFORMANCE].isel({VISIT: -1})
        return pd.DataFrame(
            {RULE: label_text(final[RULE]), PERFORMANCE: final.to_numpy().astype(float), **columns}
        )


def kinds(protocol: Protocol) -> list[Kind]:
    """Return the kinds of subjects of a protocol."""
    return [
        Kind(network, replace(entry, architectures=()))
        for architecture, task in protocol.subjects.networks
        for network, entry in itertools.product(architecture.points(), task.points())
    ]


def row(kind: Kind, final: pd.DataFrame, rules: list[str]) -> tuple[str, set[str]]:
    """Return a row of the table, and the rules by which the kind learns."""
    of = dict(list(final.groupby(RULE)))
    control = np.nan_to_num(of[CONTROL][PERFORMANCE])
    cells, learned = [kind.name.removeprefix("kinds_")], set()
    for rule in rules:
        reached = of[rule][PERFORMANCE].to_numpy()
        finite = reached[np.isfinite(reached)]
        if not len(finite):
            cells.append("all diverged")
            continue
        text = f"{finite.mean():.2f}"
        if rule != CONTROL:
            # Subjects that diverged count as 0, so that no rule gains by its failures.
            test = ttest_ind(np.nan_to_num(reached), control, equal_var=False)
            if test.confidence_interval(CONFIDENCE).low > 0:
                learned.add(rule)
                text = f"**{text}**"
            tuned = ["learning_rate", *(STRENGTHS if rule == TUNED else ())]
            text += f" ({', '.join(f'{float(of[rule][each].iloc[0]):.2g}' for each in tuned)})"
        if len(finite) < len(reached):
            text += f", {len(reached) - len(finite)} diverged"
        cells.append(text)
    return "| " + " | ".join(cells) + " |", learned


def table(protocol: Protocol, chosen: list[Kind], workers: int | None) -> Iterator[str]:
    """Yield the lines of a table: each kind by rule, and by how many kinds each rule learns."""
    labels = [entry.label for entry in protocol.subjects.rule_entries]
    rules = [CONTROL, *(label for label in labels if label != CONTROL), TUNED]
    yield "| kind | " + " | ".join(rules) + " |"
    yield "|" + "---|" * (len(rules) + 1)
    number = dict.fromkeys(rules[1:], 0)
    for kind in chosen:
        text, learned = row(kind, kind.final(workers), rules)
        yield text
        for rule in learned:
            number[rule] += 1
    yield ""
    yield (
        f"Mean final performance of {protocol.subjects.replicates} new subjects, and the tuned "
        f"learning rate; of {TUNED}, also the tuned {', '.join(STRENGTHS)}. Bold: above {CONTROL} "
        f"hidden layers ({CONFIDENCE:.0%} interval of the difference, Welch). Kinds that learn, of "
        f"{len(chosen)}: " + "; ".join(f"{rule} {count}" for rule, count in number.items()) + "."
    )


def main() -> None:
    """Tune, train new subjects, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="such as knet4_digits [all]")
    parser.add_argument("--workers", type=int, default=None)
    asked = parser.parse_args()
    os.chdir(ROOT)
    protocol = read(PROTOCOL)
    every = kinds(protocol)
    chosen = [k for k in every if not asked.kinds or k.name.removeprefix("kinds_") in asked.kinds]
    lines = list(table(protocol, chosen, asked.workers))
    if len(chosen) == len(every):
        RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
