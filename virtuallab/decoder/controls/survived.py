"""Whether a recording still tells rules apart in subjects that are alike in something."""

from __future__ import annotations

import jaxtyping as jt
import numpy as np

from virtuallab.decoder.controls.chance import luck
from virtuallab.decoder.controls.check import Check, not_asked
from virtuallab.decoder.controls.counted import per_rule
from virtuallab.decoder.controls.question import Question, among
from virtuallab.decoder.intervals import mean_interval
from virtuallab.decoder.strict import Outcome


def matched(
    groups: np.ndarray, labels: np.ndarray, stream: np.random.Generator
) -> jt.Int[np.ndarray, " row"]:
    """Keep equally many subjects of each rule in each group, drawn at random.

    Parameters
    ----------
    groups, labels : array of str, (subject,)
    stream : numpy.random.Generator
    """
    kept: list[jt.Int[np.ndarray, " row"]] = [np.array([], dtype=np.int64)]
    rules = sorted(set(labels.tolist()))
    for group in sorted(set(groups.tolist())):
        members = [np.flatnonzero((groups == group) & (labels == rule)) for rule in rules]
        fewest = min(map(len, members))
        kept += [stream.permutation(rows)[:fewest] for rows in members]
    return np.sort(np.concatenate(kept))


def are_enough(question: Question, rows: jt.Int[np.ndarray, " row"]) -> bool:
    """Whether so few subjects can be divided into the folds of the question."""
    needed = question.folds * question.inner_folds
    return bool(per_rule(question.labels[rows], question.classes).min() >= needed)


def survived(name: str, question: Question, rows: jt.Int[np.ndarray, " row"], note: str) -> Check:
    """Decode the recording anew within some subjects, where they are enough."""
    if not are_enough(question, rows):
        needed = question.folds * question.inner_folds
        left = int(per_rule(question.labels[rows], question.classes).min())
        reason = (
            f"{len(rows)} subjects remain; the rarest rule has {left}, and each rule needs {needed}"
        )
        return not_asked(name, "survive", len(rows), reason)
    outcome = question.decoded(among(question.samples, rows), select=True, draws=question.draws)
    return _of_outcome(name, question, outcome, note)


def as_before(name: str, question: Question, note: str) -> Check:
    """Return what came of the recording itself, where no subject has to be left out."""
    question = question.answered()
    assert question.outcome is not None
    return _of_outcome(name, question, question.outcome, note)


def _of_outcome(name: str, question: Question, outcome: Outcome, note: str) -> Check:
    tested = outcome.confusion.sum(1)
    there = tested > 0
    shares = np.diag(outcome.confusion)[there] / tested[there]
    return of_shares(name, question, shares, tested[there], note)


def of_shares(
    name: str,
    question: Question,
    shares: jt.Float[np.ndarray, " rule"],
    tested: jt.Float[np.ndarray, " rule"],
    note: str,
) -> Check:
    """Judge an accuracy that must lie above chance.

    Parameters
    ----------
    name : str
        Of the control.
    question : Question
    shares, tested : array, (rule,)
        Share of the subjects of each rule that were identified, and how many these are, or are
        worth.
    note : str
    """
    accuracy = float(shares.mean())
    low, high = mean_interval(shares, tested, question.confidence, repeats=question.draws)
    p_value = luck(accuracy, tested)
    chance = 1 / len(question.classes)
    return Check(
        name=name,
        kind="survive",
        accuracy=accuracy,
        low=low,
        high=high,
        # The interval's prior draws a guess upwards, the more the fewer subjects are left.
        passed=low > chance and p_value < 1 - question.confidence,
        n_subjects=int(tested.sum()),
        note=note,
        p_value=p_value,
    )
