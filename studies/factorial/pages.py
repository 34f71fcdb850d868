"""Tables of the study in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from studies.factorial.accuracies import (
    Accuracy,
    group_accuracies,
    held_out_accuracy,
    identified,
    strict_accuracy,
)
from studies.factorial.carry_over import REFERENCED_SPLITS, curves, mean_spread, references
from studies.factorial.claims import Evidence, claims_rows
from studies.factorial.controls import CONTROLLED, controls, left_out
from studies.factorial.layers import VARIANTS, accuracy
from studies.factorial.predictions import (
    CLASSIFIER,
    NETWORK,
    OTHERS,
    Task,
    read_draws,
    read_predictions,
)
from studies.factorial.subjects import ANGLES, OBSERVABLES, SPLITS, Recorded
from studies.factorial.treatment_tables import gains_table, treatments_table
from virtuallab.decoder.schemes.splits import kinds_of
from virtuallab.labels import label_text
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import DIVERGED, RULE, SUBJECT

OF_ANGLES: Final = ("backward and forward weights", "update and gradient")
_BY_GROUP: Final = ("kind", "architecture", "family", "task")
ERRORS_OF: Final = "all"  # observable of which errors are examined


def write_pages(evidence: Evidence, results: Path) -> None:
    """Write all tables of the study."""
    recorded, folder, workers = evidence.sampled, evidence.sampled_folder, evidence.workers
    pages = {
        "subjects": diverged_table(recorded),
        "strict": strict_table(recorded, folder),
        "complete": strict_table(evidence.complete, evidence.complete_folder),
        "layers": layers_table(evidence),
        "held_out": held_out_table(recorded, folder),
        "groups": groups_table(recorded, folder),
        "confusion": confusion_table(recorded, folder),
        "recall": recall_table(recorded, folder),
        "angles": angles_table(recorded, folder),
        "controls": controls_table(recorded, folder, workers),
        "left_out": left_out_table(recorded, folder, workers),
        "references": references_table(recorded, folder, workers),
        "numbers": numbers_table(recorded, folder, workers),
        "treatments": table(*treatments_table(recorded, folder, workers)),
        "gains": table(*gains_table(recorded, folder, workers)),
        "claims": table(["", "claim", "comparisons", "verdict"], list(claims_rows(evidence))),
    }
    for name, lines in pages.items():
        write_page(results, name, lines)


def write_page(results: Path, name: str, lines: Sequence[str]) -> str:
    """Write the lines of a table for the documentation, and return their text."""
    results.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines) + "\n"
    (results / f"factorial_{name}.md").write_text(text, encoding="utf-8")
    return text


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def diverged_table(recorded: Recorded) -> list[str]:
    """Subjects that diverged, of those trained, by kind and rule."""
    subjects = recorded.table
    rules = label_text(subjects[RULE])
    kinds = kinds_of(subjects)
    diverged = subjects["status"].to_numpy() == DIVERGED
    names = sorted(set(rules.tolist()))
    rows = []
    for kind in np.unique(kinds):
        mine = kinds == kind
        cells = [f"{(diverged & mine & (rules == rule)).sum()}" for rule in names]
        rows.append([str(kind), *cells])
    total = [f"{(diverged & (rules == rule)).sum()} of {(rules == rule).sum()}" for rule in names]
    return table(["kind", *map(pretty, names)], [*rows, ["all", *total]])


def strict_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Accuracy on new subjects of known kinds, by observable and classifier."""
    rows, classifiers = [], (CLASSIFIER, *OTHERS, NETWORK)
    for observable in OBSERVABLES:
        cells = []
        for classifier in classifiers:
            draws = read_draws(observable, classifier, predictions)
            cells.append(str(strict_accuracy(recorded, draws)))
        rows.append([pretty(observable), *cells])
    return table(["observable", *map(pretty, classifiers)], rows)


def layers_table(evidence: Evidence) -> list[str]:
    """Accuracy of the published scheme, by observable and by what the folds divide."""
    rows = []
    for observable in OBSERVABLES:
        cells = [
            str(accuracy(evidence.complete, evidence.layers[observable, variant].correct))
            for variant in VARIANTS
        ]
        rows.append([pretty(observable), *cells])
    return table(["observable", *(f"folds of {variant}" for variant in VARIANTS)], rows)


def controls_table(recorded: Recorded, predictions: Path, workers: int) -> list[str]:
    """Result of every control of the strict scheme, by observable."""
    rows = []
    for observable, results in controls(recorded, predictions, workers).items():
        for name, found in results.items():
            value = str(Accuracy(found.accuracy, found.low, found.high)) if found.evaluated else "-"
            passed = ("yes" if found.passed else "no") if found.evaluated else "not evaluated"
            rows.append([pretty(observable), pretty(name), found.kind, value, passed, found.note])
    return table(["observable", "control", "must", "accuracy", "passed", "note"], rows)


def left_out_table(recorded: Recorded, predictions: Path, workers: int) -> list[str]:
    """Area under the ROC curve of detecting a rule on which no decoder was trained."""
    found = left_out(recorded, predictions, workers)
    rows = [
        [pretty(observable), *(f"{found[observable, rule]:.2f}" for rule in recorded.classes)]
        for observable in CONTROLLED
    ]
    return table(["observable", *map(pretty, recorded.classes)], rows)


def held_out_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Accuracy on groups that are held out in turn, by split, observable and classifier."""
    rows = []
    for observable in OBSERVABLES:
        for split in SPLITS:
            found = [
                _of(recorded, Task(observable, classifier, split), predictions)
                for classifier in (CLASSIFIER, *OTHERS)
            ]
            rows.append([pretty(observable), split.replace("_", " "), *map(str, found)])
    return table(["observable", "held out", *map(pretty, (CLASSIFIER, *OTHERS))], rows)


def _of(recorded: Recorded, task: Task, predictions: Path) -> Accuracy:
    return held_out_accuracy(recorded, task.split, read_predictions(task, predictions))


def groups_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Accuracy on each group that was held out, by observable."""
    rows = []
    for split in _BY_GROUP:
        found = [
            group_accuracies(
                recorded, split, read_predictions(Task(observable, CLASSIFIER, split), predictions)
            )
            for observable in OBSERVABLES
        ]
        for name in found[0]:
            rows.append([split, name, *(str(each[name]) for each in found)])
    return table(["held out", "group", *map(pretty, OBSERVABLES)], rows)


def confusion_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Share of the subjects of each rule that are identified as each rule, in strict folds."""
    rows, classes = [], recorded.classes
    for observable in OBSERVABLES:
        draws = read_draws(observable, CLASSIFIER, predictions)
        for rule in classes:
            mine = recorded.labels == rule
            shares = [
                np.mean([(each[mine] == other).mean() for each in draws]) for other in classes
            ]
            rows.append([pretty(observable), pretty(rule), *(f"{share:.2f}" for share in shares)])
    return table(["observable", "rule", *map(pretty, classes)], rows)


def recall_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Share of the subjects of each rule that are identified, in groups of subjects."""
    right = identified(recorded, read_draws(ERRORS_OF, CLASSIFIER, predictions))
    rows = []
    for name, groups in _groupings(recorded).items():
        for group in dict.fromkeys(sorted(groups.tolist())):
            mine = groups == group
            shares = [right[mine & (recorded.labels == rule)] for rule in recorded.classes]
            cells = [f"{share.mean():.2f}" if len(share) else "-" for share in shares]
            rows.append(
                [name, group, *cells, f"{np.mean([s.mean() for s in shares if len(s)]):.2f}"]
            )
    return table(["subjects by", "group", *map(pretty, recorded.classes), "mean"], rows)


def angles_table(recorded: Recorded, predictions: Path) -> list[str]:
    """Angles of rules with backward weights, and the share identified, by family of networks."""
    assert recorded.angles is not None
    right = identified(recorded, read_draws(ERRORS_OF, CLASSIFIER, predictions))
    families, rows = recorded.groups("family"), []
    for rule in recorded.classes:
        for family in np.unique(families):
            mine = (families == family) & (recorded.labels == rule)
            found = [recorded.angles[name].to_numpy()[mine] for name in ANGLES]
            if not mine.any() or not np.isfinite(found[0]).all():
                continue  # no backward weights
            cells = [degrees(each) for each in found]
            rows.append([pretty(rule), family, *cells, f"{right[mine].mean():.2f}"])
    header = ["rule", "family", *OF_ANGLES]
    return table([*header, "share identified"], rows)


def degrees(values: np.ndarray) -> str:
    """Median and quartiles of angles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.0f}° ({low:.0f}° to {high:.0f}°)"


def _groupings(recorded: Recorded) -> dict[str, np.ndarray]:
    """Groups in which errors may be more frequent, each (subject,)."""
    found = {"kind": recorded.kinds, "learning rate": recorded.groups("learning_rate")}
    if recorded.performance is not None:
        mine = {SUBJECT: recorded.features[SUBJECT].values}
        final = recorded.performance.sel(mine).isel(visit=-1).to_numpy()
        ranks = np.zeros(len(final))
        for kind in np.unique(recorded.kinds):
            rows = np.flatnonzero(recorded.kinds == kind)
            ranks[rows] = final[rows].argsort(kind="stable").argsort() / len(rows)
        thirds = np.array(["1: lowest third of its kind", "2: middle", "3: highest"])
        found["final performance"] = thirds[np.minimum((ranks * 3).astype(int), 2)]
    return found


def references_table(recorded: Recorded, predictions: Path, workers: int) -> list[str]:
    """Accuracy on held-out groups by choice of references of the held-out kind."""
    found = references(recorded, predictions, workers)
    rows = []
    for observable in OBSERVABLES:
        plain = [
            _of(recorded, Task(observable, CLASSIFIER, split), predictions)
            for split in REFERENCED_SPLITS
        ]
        rows.append([pretty(observable), "none", *map(str, plain)])
        for (which, choice), accuracies in found.items():
            if which == observable:
                cells = [str(accuracies[split]) for split in REFERENCED_SPLITS]
                rows.append([pretty(observable), choice, *cells])
    return table(["observable", "references", *REFERENCED_SPLITS], rows)


def numbers_table(recorded: Recorded, predictions: Path, workers: int) -> list[str]:
    """Accuracy on kinds not in training, by number of training kinds."""
    rows = []
    for (observable, equal), points in curves(recorded, predictions, workers).items():
        for number in sorted({point.kinds for point in points}):
            mine = [point for point in points if point.kinds == number]
            subjects = f"{np.mean([point.subjects for point in mine]):.0f}"
            plain = mean_spread([point.plain for point in mine])
            centred = mean_spread([point.centred for point in mine])
            how = "the same number" if equal else "all of each kind"
            rows.append([pretty(observable), how, str(number), subjects, plain, centred])
    header = [
        "observable",
        "training subjects",
        "kinds",
        "number",
        "as they are",
        "with references",
    ]
    return table(header, rows)
