"""Performance matched: the recording among subjects that learned as well as one another.

In each network and task subjects are sorted by their final performance into bins, and each bin
keeps equally many of every rule (coarsened exact matching): what still tells rules apart is not how
far they came.

References
----------
Iacus, King and Porro 2012, "Causal Inference without Balance Checking: Coarsened Exact Matching".
"""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.question import Question
from virtuallab.decoder.controls.survived import are_enough, matched, survived

NAME = "performance_matched"
_STRATA = ("architecture", "task")
# Of each rule in a bin, on average: fewer would match more closely, and leave fewer.
_PER_BIN = 3


def ask(question: Question) -> Check:
    """Ask it, where learning curves are given and enough subjects remain."""
    curve = question.curve()
    if curve is None:
        reason = "no learning curve was given"
        return not_asked(NAME, "survive", len(question.labels), reason)
    final = curve[:, -1]
    rows, within = _alike(question, final)
    before, after = (_spread(final[some], question.labels[some]) for some in (slice(None), rows))
    note = (
        f"{len(rows)} of {len(final)} subjects matched {within}; rules' mean final accuracies "
        f"differ by {after:.3f} among them, by {before:.3f} before"
    )
    return survived(NAME, question, rows, note)


def _alike(
    question: Question, final: jt.Float[np.ndarray, " subject"]
) -> tuple[jt.Int[np.ndarray, " row"], str]:
    """Match within network and task; across them where too few would remain."""
    known = [column for name in _STRATA if (column := question.column(name)) is not None]
    strata = np.array([" ".join(map(str, row)) for row in zip(*known, strict=True)])
    if known:
        rows = _within(question, final, strata)
        if are_enough(question, rows):
            return rows, "within network and task"
    return _within(question, final, np.full(len(final), "")), "across networks and tasks"


def _within(
    question: Question, final: jt.Float[np.ndarray, " subject"], strata: np.ndarray
) -> jt.Int[np.ndarray, " row"]:
    learned = np.flatnonzero(np.isfinite(final))
    bins = _bins(final[learned], strata[learned], _PER_BIN * len(question.classes))
    stream = np.random.default_rng(question.seed)
    rows: jt.Int[np.ndarray, " row"] = learned[matched(bins, question.labels[learned], stream)]
    return rows


def _bins(final: jt.Float[np.ndarray, " subject"], strata: np.ndarray, size: int) -> np.ndarray:
    """Name the bin of each subject: those of a stratum in order, about so many to each."""
    names = np.empty(len(final), dtype=object)
    for stratum in set(strata.tolist()):
        members = np.flatnonzero(strata == stratum)
        ranked = members[np.argsort(final[members], kind="stable")]
        count = max(1, round(len(members) / size))
        for number, some in enumerate(np.array_split(ranked, count)):
            names[some] = f"{stratum} {number:04d}"
    return names.astype(str)


def _spread(final: jt.Float[np.ndarray, " subject"], labels: np.ndarray) -> float:
    """Tell how far apart the rules' mean final performances are."""
    known = np.isfinite(final)
    of_rules = [final[known & (labels == rule)] for rule in sorted(set(labels.tolist()))]
    means = [mine.mean() for mine in of_rules if len(mine)]
    return float(max(means) - min(means)) if means else 0.0
