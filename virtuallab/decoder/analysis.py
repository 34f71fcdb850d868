"""What is asked of a recording: which observables, which classifiers, validated how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Len, Lt

from virtuallab.decoder.splits import Split, check_columns, is_known
from virtuallab.errors import suggest
from virtuallab.fields import setting
from virtuallab.registry import CLASSIFIERS

Observable = Literal["activity", "weights", "activity_change", "all"]
_OBSERVABLES = ("activity", "weights", "activity_change", "all")


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One question put to the recordings.

    ``strict`` asks for one verdict a subject from scale-free changes, validated on subjects that
    the decoder never saw, with every choice made inside the training subjects. ``paper`` follows
    the published scheme, layers as samples, whose optimism is measured beside it.
    """

    probes: Annotated[tuple[str, ...], Len(1)] | None = setting(
        None, doc="Probes whose recordings are read; all if not given."
    )
    observables: Annotated[tuple[Observable, ...], Len(1)] = setting(
        _OBSERVABLES, doc="What the decoder may read, each on its own, and 'all' of it together."
    )
    classifiers: Annotated[tuple[str, ...], Len(1)] = setting(
        ("kernel_svm",), doc="Classifiers, by name."
    )
    scheme: Literal["strict", "paper"] = setting(
        "strict", doc="How it is validated: 'strict' (by subject) or 'paper' (by layer)."
    )
    hold_out: tuple[Split, ...] | Split | None = setting(
        (),
        doc="Train without each group in turn and test on it: each architecture, family of "
        "architectures, task, loss, third of the learning rates of a rule, or batch size.",
    )
    folds: Annotated[int, Ge(2)] = setting(5, doc="Groups of subjects, each tested once.")
    inner_folds: Annotated[int, Ge(2)] = setting(
        3, doc="Groups of training subjects by which a classifier's settings are chosen."
    )
    permutations: Annotated[int, Ge(0), Le(10_000)] = setting(
        3, doc="Times the labels are shuffled for the control that should find nothing."
    )
    splits: Annotated[int, Ge(1), Le(10_000)] = setting(
        10, doc="Random splits of the paper's scheme."
    )
    grid: Literal["quick", "published"] = setting(
        "quick", doc="Settings tried by the paper's scheme: a few, or the published grids."
    )
    others: tuple[str, ...] = setting(
        (),
        doc="Rules, by label, that are not to be named: from their subjects a decoder learns what "
        "none of its rules looks like.",
    )
    coverage: Annotated[float, Gt(0), Lt(1)] = setting(
        0.9, doc="How often the set of rules that cannot be excluded is to hold the true one."
    )
    confidence: Annotated[float, Gt(0), Lt(1)] = setting(0.95, doc="Of every interval.")

    @property
    def held_out(self) -> tuple[Split, ...]:
        """What is held out, as a tuple however it was written; each once."""
        if self.hold_out is None:
            return ()
        named = (self.hold_out,) if isinstance(self.hold_out, str) else self.hold_out
        return tuple(dict.fromkeys(named))

    def check(
        self,
        rules: Sequence[str],
        architectures: Sequence[str],
        probes: Sequence[str],
        *,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> list[tuple[str, str]]:
        """Say what of this analysis cannot be had.

        Parameters
        ----------
        rules, architectures : sequence of str
            Of each subject.
        probes : sequence of str
            Those of the protocol.
        columns : mapping from name to sequence, optional
            What else is decided about each subject. Without it, only what is held out by
            architecture is checked.

        Returns
        -------
        list of (field, message)
        """
        absent = [name for name in self.others if name not in rules]
        if absent:
            return [("others", f"no rule {absent[0]!r}. {suggest(absent[0], set(rules))}")]
        named = [row for row, rule in enumerate(rules) if rule not in self.others]
        kept = {name: [values[row] for row in named] for name, values in (columns or {}).items()}
        rules = [rules[row] for row in named]
        if architectures:
            architectures = [architectures[row] for row in named]
        return [
            *self._unknown(probes),
            *self._too_few(rules),
            *self._held_out(rules, architectures, None if columns is None else kept),
        ]

    def _unknown(self, probes: Sequence[str]) -> Iterator[tuple[str, str]]:
        for name in self.probes or ():
            if name not in probes:
                yield "probes", f"no probe {name!r}. {suggest(name, probes)}"
        for name in self.classifiers:
            if name not in CLASSIFIERS:
                yield "classifiers", f"no classifier {name!r}. {suggest(name, CLASSIFIERS)}"

    def _too_few(self, rules: Sequence[str]) -> Iterator[tuple[str, str]]:
        if len(set(rules)) < 2:
            yield "folds", "one rule alone leaves nothing to identify; add rules to the subjects."
            return
        fewest = min(Counter(rules).values())
        if self.scheme == "strict":
            needed = self.folds * self.inner_folds
            if fewest < needed:
                yield (
                    "folds",
                    f"{fewest} subjects per rule cannot be split in {self.folds} groups nested in "
                    f"{self.inner_folds}; needs at least {needed}. Raise subjects.replicates.",
                )
        elif fewest < 4:
            yield "splits", f"{fewest} subjects per rule are too few for a 75/25 split; needs 4."

    def _held_out(
        self,
        rules: Sequence[str],
        architectures: Sequence[str],
        columns: Mapping[str, Sequence[Any]] | None,
    ) -> Iterator[tuple[str, str]]:
        known = {**(columns or {}), "rule": rules, "architecture": architectures}
        for split in self.held_out:
            asked = columns is not None or is_known(known, split)
            if asked and (fault := check_columns(known, split)):
                yield "hold_out", fault
