"""Kinds and seeds set aside for confirmation: ``python -m studies.factorial.confirmation``.

Decoders that were trained on all subjects of the factorial identify subjects that no choice of the
study was based on: those of protocols/nayebi2020_confirmation.yaml, of five kinds that the
factorial does not have, and those of new seeds of known kinds, if their stores exist. Writes
docs/science/results/factorial_confirmation.md. It is computed once: a result that exists is not
replaced.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from studies.factorial.accuracies import group_accuracies, held_out_accuracy
from studies.factorial.carry_over import plain_and_centred
from studies.factorial.pages import table
from studies.factorial.subjects import OBSERVABLES, Recorded
from virtuallab.decoder.reference_choices import ALL_RULES, NO_REFERENCES
from virtuallab.reporting.style import pretty

ROOT: Final = Path(__file__).parents[2]
PROTOCOLS: Final = ROOT / "protocols"
RESULT: Final = ROOT / "docs" / "science" / "results" / "factorial_confirmation.md"
NEW_SEEDS: Final = (
    "name=nayebi2020_seeds",
    "seed=2021",
    "subjects.batch_size=32",
    "subjects.seeds={model: 1, data: 2}",
)


def predictions(
    training: Recorded, tested: Recorded, observable: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield predicted rules of the tested subjects: as they are, and with references.

    References are the other half of the subjects of each kind, of all rules.
    """
    known, new = training.samples(observable), tested.samples(observable)
    plain, centred = plain_and_centred(known, training.kinds, new, tested.kinds)
    yield NO_REFERENCES, plain
    yield ALL_RULES, centred


def confirmation_rows(
    training: Recorded, tested: Recorded, name: str, *, new_kinds: bool
) -> Iterator[list[str]]:
    """Yield a row of accuracies for each observable and choice of references, and for each kind."""
    split = "kind" if new_kinds else "model_seed"  # kinds, or pairs, are not independent
    for observable in OBSERVABLES:
        for references, predicted in predictions(training, tested, observable):
            value = str(held_out_accuracy(tested, split, predicted))
            yield [name, pretty(observable), references, "all", value]
            if new_kinds:
                for kind, found in group_accuracies(tested, "kind", predicted).items():
                    yield [name, pretty(observable), references, kind, str(found)]


def main() -> None:
    """Identify the subjects that were set aside, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training", type=Path, default=Path("runs/nayebi2020.zarr"))
    parser.add_argument("--kinds", type=Path, default=Path("runs/nayebi2020_confirmation.zarr"))
    parser.add_argument("--seeds", type=Path, default=Path("runs/nayebi2020_seeds.zarr"))
    asked = parser.parse_args()
    os.chdir(ROOT)
    if RESULT.exists():
        sys.exit(f"{RESULT.relative_to(ROOT)} exists, and is computed once. Nothing is replaced.")
    factorial = PROTOCOLS / "nayebi2020.yaml"
    training = Recorded.of(asked.training, factorial)
    kinds = Recorded.of(asked.kinds, PROTOCOLS / "nayebi2020_confirmation.yaml")
    rows = list(confirmation_rows(training, kinds, "new kinds", new_kinds=True))
    if asked.seeds.exists():
        seeds = Recorded.of(asked.seeds, factorial, NEW_SEEDS)
        rows += confirmation_rows(training, seeds, "new seeds of known kinds", new_kinds=False)
    header = ["subjects", "observable", "references", "kind", "balanced accuracy"]
    RESULT.write_text("\n".join(table(header, rows)) + "\n", encoding="utf-8")
    print(RESULT.read_text("utf-8"))


if __name__ == "__main__":
    main()
