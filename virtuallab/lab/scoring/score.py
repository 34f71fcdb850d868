"""``score``: compare the probabilities of any decoder with the true rules."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.console import say
from virtuallab.decoder.scoring import score_probabilities, with_novelty
from virtuallab.errors import Fault, UserError, suggest
from virtuallab.lab.services.console import Verbose, console_of
from virtuallab.lab.services.output_files import check_absent, check_in_folder, write_file
from virtuallab.paths import expanded
from virtuallab.recordings.csv_table import CsvTable, raise_faults, read_csv
from virtuallab.recordings.text import first_few
from virtuallab.reporting.tables.scores import score_summary
from virtuallab.vocabulary import PAIR, RULE, SUBJECT

KIND: Final = "kind"
NONE_OF_THESE: Final = "none_of_these"
TOLERANCE: Final = 0.01  # of the sum of a row; four probabilities with two decimals may be off so
_HALF_UNIT: Final = 1e-9  # sums of decimals are not exact


def score(
    predictions: str | Path,
    labels: str | Path,
    *,
    confidence: float = 0.95,
    save: str | Path | None = None,
    verbose: Verbose = False,
) -> xr.Dataset:
    """Score the probabilities that a decoder of any kind stated for recordings.

    Both files are CSV tables with a header, separated by commas, in UTF-8. Rows may be in any
    order.

    Parameters
    ----------
    predictions : str or Path
        A row for each subject: ``subject``, and one column for each rule with its probability. The
        sum of a row is 1 within 0.01; rows are then divided by their sums. A further column,
        ``none_of_these``, is optional: the probability that the rule has no column, which is not
        part of the sum. Only with it may ``labels`` have rules without a column.
    labels : str or Path
        A row for each subject: ``subject``, ``rule`` and, if they are known, ``kind``, by which
        accuracies are listed, and ``pair``, whose subjects are not independent. Other columns are
        ignored.
    confidence : float
        Of the intervals, between 0 and 1.
    save : str or Path, optional
        New JSON file to which the scores are written; ``xr.Dataset.from_dict`` reads its content.
    verbose : bool or rich.console.Console
        Print the scores.

    Returns
    -------
    xr.Dataset
        ``balanced_accuracy`` with ``interval`` (bound,), ``confusion`` (true_rule,
        predicted_rule), ``log_loss`` in nat, ``brier``, ``calibration_error``,
        ``calibration_error_least`` (that of exact probabilities) and ``pair_effect``. With kinds,
        ``kind_accuracy``, ``kind_interval`` and ``kind_subjects`` over ``kind``, the lowest
        accuracy first. Attributes: ``confidence``, ``chance`` and ``subjects``. With
        ``none_of_these`` and rules without a column, ``novelty_auroc``, and the attribute
        ``subjects_of_other_rules``; all other scores are of the other subjects.

    Raises
    ------
    UserError
        If ``save`` exists, a file cannot be read or is not such a table, subjects or rules of the
        two differ, or probabilities are not valid; with the file, the line and the column of each
        fault.
    """
    console = console_of(verbose)
    if not 0 < confidence < 1:
        raise UserError(f"confidence: needs a number between 0 and 1, found {confidence:g}.")
    place = None if save is None else expanded(save, "save")
    if place is not None:
        check_absent(place)
        check_in_folder(place)
    truth = _labels(read_csv(expanded(labels, "labels")))
    stated = read_csv(expanded(predictions, "predictions"))
    rows = _rows_of(stated, truth)
    rules = _named_rules(stated, truth)
    probability = _probabilities(stated, rules)[rows]
    labels_of = np.array(truth.columns[RULE])
    named = np.isin(labels_of, rules)
    kinds, pairs = (_column(truth, name) for name in (KIND, PAIR))
    found = score_probabilities(
        probability[named],
        labels_of[named],
        rules,
        kinds=None if kinds is None else kinds[named],
        pairs=None if pairs is None else pairs[named],
        confidence=confidence,
    )
    if not named.all():
        unknown = np.array([float(stated.columns[NONE_OF_THESE][row]) for row in rows])
        found = with_novelty(found, unknown, ~named)
    console.print(score_summary(found))
    if place is not None:
        write_file(place, lambda: json.dumps(found.to_dict(), indent=1) + "\n")
        say(console, f"Scores written: {place}")
    return found


def _labels(table: CsvTable) -> CsvTable:
    """The labels, checked."""
    table.require(SUBJECT, RULE)
    table.filled(SUBJECT, RULE, *(name for name in (KIND, PAIR) if name in table.columns))
    table.unique(SUBJECT)
    if len(found := set(table.columns[RULE])) < 2:
        message = f"needs subjects of at least two rules, found only {next(iter(found))!r}."
        raise_faults([Fault(table.file, 0, RULE, message)])
    return table


def _column(table: CsvTable, name: str) -> np.ndarray | None:
    return np.array(table.columns[name]) if name in table.columns else None


def _rows_of(stated: CsvTable, truth: CsvTable) -> list[int]:
    """Row of the predictions for each subject of the labels."""
    stated.require(SUBJECT)
    stated.filled(SUBJECT)
    rows = stated.unique(SUBJECT)
    known = dict.fromkeys(truth.columns[SUBJECT])
    raise_faults(
        stated.fault(row, SUBJECT, f"{name!r} is no subject of {truth.file}.{_near(name, known)}")
        for name, row in rows.items()
        if name not in known
    )
    if absent := [name for name in known if name not in rows]:
        message = (
            f"no row for {len(absent)} of the {len(known)} subjects of {truth.file}: "
            f"{first_few(absent)}. Each subject needs a row."
        )
        raise_faults([Fault(stated.file, 0, SUBJECT, message)])
    return [rows[name] for name in known]


def _near(name: str, known: Sequence[str] | dict[str, None]) -> str:
    """A hint at the nearest name; all names would fill the terminal."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _named_rules(stated: CsvTable, truth: CsvTable) -> list[str]:
    """Rules of the labels, sorted; with a column for other rules, those that have a column."""
    rules = sorted(set(truth.columns[RULE]))
    if NONE_OF_THESE not in stated.columns:
        return rules
    named = [rule for rule in rules if rule in stated.columns and rule != NONE_OF_THESE]
    if len(named) < 2:
        message = (
            f"only {len(named)} of the rules of {truth.file} has a column; two are needed. "
            f"Rules: {first_few(rules)}."
        )
        raise_faults([stated.fault(None, "", message)])
    return named


def _probabilities(table: CsvTable, rules: Sequence[str]) -> np.ndarray:
    """Probabilities (row, rule) in the order of the rules, each row with the sum 1."""
    given = [name for name in table.columns if name not in (SUBJECT, NONE_OF_THESE)]
    raise_faults(
        [
            *(
                table.fault(None, name, f"no rule has this name. {suggest(name, rules)}")
                for name in given
                if name not in rules
            ),
            *(
                table.fault(None, name, "this column is missing: each rule needs one.")
                for name in rules
                if name not in given
            ),
        ]
    )
    others = [name for name in table.columns if name == NONE_OF_THESE]
    raise_faults(_cell_faults(table, [*rules, *others]))
    values = np.array([[float(cell) for cell in table.columns[rule]] for rule in rules]).T
    sums = values.sum(1)
    raise_faults(
        table.fault(
            int(row),
            "",
            f"the probabilities sum to {sums[row]:.4g}, not to 1 within {TOLERANCE}."
            + (f" {NONE_OF_THESE} is not part of the sum." if others else ""),
        )
        for row in np.flatnonzero(np.abs(sums - 1) > TOLERANCE + _HALF_UNIT)
    )
    found: np.ndarray = values / sums[:, None]
    return found


def _cell_faults(table: CsvTable, rules: Sequence[str]) -> Iterator[Fault]:
    for row in range(len(table.lines)):
        for rule in rules:
            if said := _cell_fault(table.columns[rule][row]):
                yield table.fault(row, rule, said)


def _cell_fault(cell: str) -> str | None:
    """The fault of a probability, or None."""
    if not cell:
        return "this cell is empty. Each rule needs a probability."
    try:
        value = float(cell)
    except ValueError:
        decimal = " Write decimals with a point." if "," in cell else ""
        return f"{cell!r} is no number.{decimal}"
    if not math.isfinite(value):
        return f"a probability must be finite, found {cell}."
    if value < 0:
        return f"a probability must not be negative, found {cell}."
    if value > 1 + TOLERANCE:
        percent = " Give shares, not per cent." if value <= 100 else ""
        return f"a probability must not be above 1, found {cell}.{percent}"
    return None
