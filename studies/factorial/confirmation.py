"""Kinds and seeds set aside for confirmation: ``python -m studies.factorial.confirmation``.

Trains and records subjects that no choice of the study was based on: those of
protocols/nayebi2020_confirmation.yaml, of five kinds that the factorial does not have, and those of
new seeds of known kinds. Decoders that were trained on all subjects of the factorial identify them.
Writes docs/science/results/factorial_confirmation.md, with the accuracy that the factorial led one
to expect. It is computed once: a result that exists is not replaced.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console

import virtuallab as vl
from studies.factorial.accuracies import (
    Accuracy,
    group_accuracies,
    held_out_accuracy,
    strict_accuracy,
)
from studies.factorial.carry_over import predicted_centred, predicted_plain, references
from studies.factorial.pages import table, write_page
from studies.factorial.predictions import CLASSIFIER, Task, read_draws, read_predictions
from studies.factorial.subjects import OBSERVABLES, Recorded
from virtuallab.decoder.reference_choices import ALL_RULES, NO_REFERENCES
from virtuallab.reporting.style import pretty

ROOT: Final = Path(__file__).parents[2]
FACTORIAL: Final = ROOT / "protocols" / "nayebi2020.yaml"
KINDS: Final = ROOT / "protocols" / "nayebi2020_confirmation.yaml"
RESULT: Final = ROOT / "docs" / "science" / "results" / "factorial_confirmation.md"
EXPECTED: Final = "all, expected"
NEW_SEEDS: Final = (
    "name=nayebi2020_seeds",
    "seed=2021",
    "subjects.batch_size=32",
    "subjects.seeds={model: 1, data: 2}",
)


def predictions(
    training: Recorded, tested: Recorded, *, new_kinds: bool
) -> dict[str, dict[str, np.ndarray]]:
    """Predicted rules of the tested subjects, by choice of references and by observable.

    As they are and, of new kinds, relative to the other half of the subjects of each kind.
    """
    found: dict[str, dict[str, np.ndarray]] = {NO_REFERENCES: {}}
    for observable in OBSERVABLES:
        known, new = training.samples(observable), tested.samples(observable)
        found[NO_REFERENCES][observable] = predicted_plain(known, new)
        if new_kinds:
            centred = predicted_centred(known, training.kinds, new, tested.kinds)
            found.setdefault(ALL_RULES, {})[observable] = centred
    return found


def confirmation_rows(
    training: Recorded,
    tested: Recorded,
    name: str,
    expected: Mapping[tuple[str, str], Accuracy],
    *,
    new_kinds: bool,
) -> Iterator[list[str]]:
    """Yield rows of accuracies, with a column for each observable.

    For each choice of references: on all subjects, what was expected, and on each new kind.

    Parameters
    ----------
    training, tested : Recorded
    name : str
        What the tested subjects are.
    expected : mapping from (observable, references) to Accuracy
        Accuracy that the factorial has on subjects held out of training.
    new_kinds : bool
        Whether no kind of the tested subjects is in training. Kinds are not independent then,
        otherwise pairs.
    """
    split = "kind" if new_kinds else "model_seed"
    for choice, found in predictions(training, tested, new_kinds=new_kinds).items():
        whole = [held_out_accuracy(tested, split, each) for each in found.values()]
        yield [name, choice, "all", *map(str, whole)]
        asked = [expected.get((observable, choice), "-") for observable in found]
        yield [name, choice, EXPECTED, *map(str, asked)]
        if new_kinds:
            each = [group_accuracies(tested, "kind", one) for one in found.values()]
            for kind in each[0]:
                yield [name, choice, kind, *(str(one[kind]) for one in each)]


def expected_on_kinds(training: Recorded, folder: Path) -> dict[tuple[str, str], Accuracy]:
    """Accuracy of the factorial on kinds that were held out, without and with references."""
    found = {
        (observable, choice): accuracies["kind"]
        for (observable, choice), accuracies in references(training, folder, workers=1).items()
    }
    for observable in OBSERVABLES:
        predicted = read_predictions(Task(observable, CLASSIFIER, "kind"), folder)
        found[observable, NO_REFERENCES] = held_out_accuracy(training, "kind", predicted)
    return found


def expected_on_seeds(training: Recorded, folder: Path) -> dict[tuple[str, str], Accuracy]:
    """Accuracy of the factorial on new subjects of known kinds, as they are."""
    return {
        (observable, NO_REFERENCES): strict_accuracy(
            training, read_draws(observable, CLASSIFIER, folder)
        )
        for observable in OBSERVABLES
    }


def main() -> None:
    """Train and identify the subjects that were set aside, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training", type=Path, default=Path("runs/nayebi2020.zarr"))
    parser.add_argument("--kinds", type=Path, default=Path("runs/nayebi2020_confirmation.zarr"))
    parser.add_argument("--seeds", type=Path, default=Path("runs/nayebi2020_seeds.zarr"))
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    os.chdir(ROOT)
    if RESULT.exists():
        sys.exit(
            f"{RESULT.relative_to(ROOT)} exists, and is computed once. To repeat it, move it away."
        )
    folder = asked.training.with_suffix(".predictions")
    if not folder.is_dir():
        sys.exit(f"There is no {folder}: run `make study` first.")
    for protocol, overrides, store in (
        (KINDS, (), asked.kinds),
        (FACTORIAL, NEW_SEEDS, asked.seeds),
    ):
        vl.run(protocol, overrides, store=store, workers=asked.workers, verbose=Console())
    training = Recorded.of(asked.training, FACTORIAL)
    kinds = Recorded.of(asked.kinds, KINDS)
    seeds = Recorded.of(asked.seeds, FACTORIAL, NEW_SEEDS)
    on_kinds, on_seeds = expected_on_kinds(training, folder), expected_on_seeds(training, folder)
    rows = [
        *confirmation_rows(training, kinds, "new kinds", on_kinds, new_kinds=True),
        *confirmation_rows(training, seeds, "new seeds", on_seeds, new_kinds=False),
    ]
    header = ["subjects", "references", "kind", *map(pretty, OBSERVABLES)]
    print(write_page(RESULT.parent, "confirmation", table(header, rows)))


if __name__ == "__main__":
    main()
