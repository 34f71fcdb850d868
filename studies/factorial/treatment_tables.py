"""Tables of the treatments of kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from scipy.stats import t

from studies.factorial.accuracies import CONFIDENCE, Accuracy, accuracy_of
from studies.factorial.predictions import CLASSIFIER
from studies.factorial.subjects import Recorded
from studies.factorial.treatments import (
    AS_THEY_ARE,
    CENTRED,
    OBSERVABLES,
    TREATMENTS,
    WEIGHTED,
    Results,
    permuted_labels,
    treatments,
)
from virtuallab.decoder.reference_choices import ALL_RULES, NO_REFERENCES
from virtuallab.decoder.uncertainty.intervals import dependence
from virtuallab.reporting.style import pretty

Table: TypeAlias = tuple[list[str], list[list[str]]]  # header, lines

_COLUMNS: Final = tuple(product(OBSERVABLES, (CLASSIFIER, WEIGHTED)))


def chosen_inside(
    found: Results, observable: str, classifier: str, kinds: np.ndarray, *, referenced: bool
) -> tuple[np.ndarray, Mapping[str, str]]:
    """Predictions of each kind by the treatment that is best inside the other kinds.

    Parameters
    ----------
    found : mapping
        Of :func:`treatments`.
    observable, classifier : str
    kinds : array of str, (subject,)
    referenced : bool
        Choose also among treatments that need references.

    Returns
    -------
    predicted : array, (subject,)
        Rules; empty where a subject has no references.
    names : mapping from kind to name of the treatment
    """
    candidates = [
        each
        for each in TREATMENTS
        if (each.name, observable, classifier) in found
        and each.focus is None
        and (referenced or not each.referenced)
    ]
    predicted, names = np.full(len(kinds), "", dtype=object), {}
    for kind in np.unique(kinds):
        inside = [found[each.name, observable, CLASSIFIER].inside[str(kind)] for each in candidates]
        best = candidates[int(np.argmax(inside))]
        choice = ALL_RULES if best.referenced else NO_REFERENCES
        mine = kinds == kind
        predicted[mine] = found[best.name, observable, classifier].predicted[choice][mine]
        names[str(kind)] = best.name
    return predicted, names


@dataclass(frozen=True)
class Row:
    """Predictions of all subjects by one treatment with one choice of references.

    Parameters
    ----------
    treatment, references : str
    predicted : mapping from (observable, classifier) to array, (subject,)
        Rules; empty where a subject has no references.
    """

    treatment: str
    references: str
    predicted: Mapping[tuple[str, str], np.ndarray]


def rows_of(recorded: Recorded, found: Results) -> list[Row]:
    """Rows of the table: each treatment with each choice of references, then the chosen ones."""
    rows = []
    for treatment in TREATMENTS:
        of_treatment = {
            column: found[treatment.name, *column]
            for column in _COLUMNS
            if (treatment.name, *column) in found
        }
        for choice in next(iter(of_treatment.values())).predicted:
            each = {column: result.predicted[choice] for column, result in of_treatment.items()}
            rows.append(Row(treatment.name, choice, each))
    for referenced, choice in ((False, NO_REFERENCES), (True, ALL_RULES)):
        each = {
            column: chosen_inside(found, *column, recorded.kinds, referenced=referenced)[0]
            for column in _COLUMNS
        }
        rows.append(Row("chosen inside", choice, each))
    return rows


def accuracy(labels: np.ndarray, predicted: np.ndarray, kinds: np.ndarray) -> Accuracy:
    """Balanced accuracy over the subjects that were tested, with kinds as clusters."""
    some = predicted != ""
    labels, predicted, kinds = labels[some], predicted[some], kinds[some]
    return accuracy_of(labels, [predicted], sorted(set(labels.tolist())), kinds)


def gain(recorded: Recorded, predicted: np.ndarray, other: np.ndarray) -> Accuracy:
    """Share of subjects identified minus that by other predictions, as a mean over kinds.

    The interval is Student's over kinds, as wide as that of an accuracy for decoders that share
    training subjects. The interval of :mod:`virtuallab.decoder.uncertainty.comparison` adds half a
    kind that only one of the two identified, which is much among so few clusters.
    """
    some = (predicted != "") & (other != "")
    labels, kinds = recorded.labels[some], recorded.kinds[some]
    more = (predicted[some] == labels) * 1.0 - (other[some] == labels)
    each = np.array([more[kinds == kind].mean() for kind in np.unique(kinds)])
    error = each.std(ddof=1) * np.sqrt(dependence(None) / len(each))
    width = float(t.ppf((1 + CONFIDENCE) / 2, len(each) - 1) * error)
    return Accuracy(float(each.mean()), float(each.mean() - width), float(each.mean() + width))


def treatments_table(recorded: Recorded, folder: Path, workers: int) -> Table:
    """Accuracy on held-out kinds by treatment and references, and with permuted labels."""
    found = treatments(recorded, folder, workers)
    lines = []
    for row in rows_of(recorded, found):
        cells = [
            str(accuracy(recorded.labels, row.predicted[column], recorded.kinds))
            if column in row.predicted
            else ""
            for column in _COLUMNS
        ]
        lines.append([row.treatment, row.references, *cells])
    for treatment in TREATMENTS:
        cells = []
        for observable, classifier in _COLUMNS:
            result = found.get((treatment.name, observable, classifier))
            labels = permuted_labels(recorded.samples(observable))
            cells.append(
                "" if result is None else str(accuracy(labels, result.null, recorded.kinds))
            )
        lines.append([treatment.name, "labels permuted", *cells])
    return ["treatment", "references", *_names(_COLUMNS)], lines


def gains_table(recorded: Recorded, folder: Path, workers: int) -> Table:
    """Accuracy minus that of features as they are, and minus that of centred features."""
    found = treatments(recorded, folder, workers)
    lines = []
    for row in rows_of(recorded, found):
        if row.references not in (NO_REFERENCES, ALL_RULES):
            continue
        cells = [
            str(gain(recorded, row.predicted[column], found[base.name, *column].predicted[choice]))
            if column in row.predicted
            else ""
            for base, choice in ((AS_THEY_ARE, NO_REFERENCES), (CENTRED, ALL_RULES))
            for column in _COLUMNS
        ]
        lines.append([row.treatment, row.references, *cells])
    columns = _names(_COLUMNS)
    against = [f"{name}, minus {base}" for base in ("as they are", "centred") for name in columns]
    return ["treatment", "references", *against], lines


def _names(columns: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{pretty(observable)}, {pretty(classifier)}" for observable, classifier in columns]
