"""Settings of an analysis: observables, classifiers and validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Len, Lt

from virtuallab.decoder.pairs import count_rules
from virtuallab.decoder.schemes.splits import (
    OF_KINDS,
    Split,
    check_columns,
    is_known,
    kinds_of,
    without_halves,
)
from virtuallab.errors import suggest
from virtuallab.fields import setting
from virtuallab.registry import CLASSIFIERS
from virtuallab.text import count_noun
from virtuallab.vocabulary import PAIR, THEORY

Observable = Literal["activity", "weights", "activity_change", "all", "theory"]
_MEASURED: tuple[Observable, ...] = ("activity", "weights", "activity_change", "all")
_LEAST_TO_SPLIT = 4  # a random split tests a quarter of the subjects of each rule, at least one


@dataclass(frozen=True, kw_only=True)
class Primary:
    """The comparison of an analysis that is chosen in advance as its result.

    A key may be left out if the analysis has a single value of it.

    Parameters
    ----------
    probe : str, optional
    observable : {"activity", "weights", "activity_change", "all", "theory"}, optional
    classifier : str, optional
    """

    probe: str | None = setting(None, doc="Name of the probe.")
    observable: Observable | None = setting(None, doc="Observable that is decoded.")
    classifier: str | None = setting(None, doc="Name of the classifier.")

    @property
    def named(self) -> dict[str, str]:
        """The keys that are given, with their values."""
        return {key: str(name) for key, name in asdict(self).items() if name is not None}


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Settings of one analysis of the recordings.

    The ``strict`` scheme classifies subjects by scale-free changes and tests subjects that the
    decoder was not trained on, with every choice made in the training subjects. The ``published``
    scheme classifies layers and measures the optimism of doing so.

    Parameters
    ----------
    probes : tuple of str, optional
        Probes whose recordings are decoded; all if not given.
    observables : tuple of {"activity", "weights", "activity_change", "all", "theory"}
        Observables, each decoded separately; "all" stands for all that a probe measures together,
        "theory" for what theories predict of changes of weights and activity.
    classifiers : tuple of str
        Registered classifiers, by name.
    primary : Primary, optional
        The comparison that is chosen in advance as the result.
    scheme : {"strict", "published"}
        Validation by subject, or by layer.
    hold_out : tuple of str, str or None
        Settings whose groups are left out of training in turn; strict scheme only.
    references : bool
        Test held-out groups relative to references of their kind, too.
    folds, inner_folds : int
        Groups of subjects that are tested, and groups of training subjects for choosing settings.
    repeats : int
        Draws of the folds over which accuracies are averaged; strict scheme only.
    permutations : int
        Permutations of the labels in controls.
    splits : int
        Random splits of the published scheme.
    grid : {"quick", "published"}
        Settings to choose among in the published scheme.
    others : tuple of str
        Rules on which novelty detection is trained, and which are not predicted.
    coverage : float
        Share of recordings whose prediction set contains the true rule.
    confidence : float
        Confidence of every interval.
    """

    probes: Annotated[tuple[str, ...], Len(1)] | None = setting(
        None, doc="Probes whose recordings are decoded; all if not given."
    )
    observables: Annotated[tuple[Observable, ...], Len(1)] = setting(
        _MEASURED,
        doc="Observables, each decoded separately; 'all' stands for all that a probe measures "
        "together. 'theory' reads what theories of learning predict of changes of weights and "
        "activity instead, and is not part of 'all'; strict scheme only.",
    )
    classifiers: Annotated[tuple[str, ...], Len(1)] = setting(
        ("kernel_svm",), doc="Classifiers, by name."
    )
    primary: Primary | None = setting(
        None,
        doc="The comparison that is chosen in advance as the result: probe, observable and "
        "classifier. Without it, all comparisons are the result, corrected for their number.",
    )
    scheme: Literal["strict", "published"] = setting(
        "strict", doc="Validation scheme: 'strict' (by subject) or 'published' (by layer)."
    )
    hold_out: tuple[Split, ...] | Split | None = setting(
        (),
        doc="Train without each group in turn and test on it: each architecture, family of "
        "architectures, task, loss, third of the learning rates of a rule, batch size, curriculum, "
        "schedule, or pretraining (start_from). Strict scheme only.",
    )
    references: bool = setting(
        False,
        doc="Test the held-out architectures, families and tasks a second time, by decoders that "
        "read features relative to references of the same network and task: subjects of all rules, "
        "ten of them, subjects of one rule, or of the rule that is to be identified.",
    )
    folds: Annotated[int, Ge(2)] = setting(5, doc="Groups of subjects, each tested once.")
    repeats: Annotated[int, Ge(1), Le(1_000)] = setting(
        5,
        doc="Draws of the folds over which an accuracy of the strict scheme is averaged; over "
        "draws, it has a standard deviation of up to 0.05.",
    )
    inner_folds: Annotated[int, Ge(2)] = setting(
        3, doc="Groups of training subjects by which a classifier's settings are chosen."
    )
    permutations: Annotated[int, Ge(0), Le(10_000)] = setting(
        3, doc="Permutations of the labels for the control 'permuted labels'."
    )
    splits: Annotated[int, Ge(1), Le(10_000)] = setting(
        10, doc="Random splits of the published scheme."
    )
    grid: Literal["quick", "published"] = setting(
        "quick", doc="Settings to choose among in the published scheme: a few, or those published."
    )
    others: tuple[str, ...] = setting(
        (),
        doc="Rules, by label, that are not predicted: novelty detection is trained on their "
        "subjects.",
    )
    coverage: Annotated[float, Gt(0), Lt(1)] = setting(
        0.9, doc="Share of recordings whose prediction set contains the true rule."
    )
    confidence: Annotated[float, Gt(0), Lt(1)] = setting(0.95, doc="Confidence of every interval.")

    @property
    def held_out(self) -> tuple[Split, ...]:
        """The settings to hold out, each once."""
        if self.hold_out is None:
            return ()
        named = (self.hold_out,) if isinstance(self.hold_out, str) else self.hold_out
        return tuple(dict.fromkeys(named))

    @property
    def without_held_out(self) -> Analysis:
        """The same settings, without groups that are left out of training."""
        return replace(self, hold_out=(), references=False)

    @property
    def needed(self) -> int:
        """Number of subjects of each rule that the folds or splits of this analysis need."""
        return self.folds * self.inner_folds if self.scheme == "strict" else _LEAST_TO_SPLIT

    def too_few(
        self,
        rules: Iterable[str],
        planned: Iterable[str] = (),
        pairs: Iterable[Any] | None = None,
    ) -> dict[str, int]:
        """Number of subjects, or of pairs, of each rule that has fewer than needed.

        Parameters
        ----------
        rules : iterable of str
            Rule of each subject.
        planned : iterable of str
            Further rules, which may have no subjects left.
        pairs : iterable, optional
            Pair of each subject, in a paired design.

        Returns
        -------
        mapping from rule to int
        """
        count = dict.fromkeys(planned, 0) | count_rules(rules, pairs)
        return {rule: n for rule, n in sorted(count.items()) if n < self.needed}

    def check(
        self,
        rules: Sequence[str],
        architectures: Sequence[str],
        probes: Sequence[str],
        *,
        columns: Mapping[str, Sequence[Any]] | None = None,
        measured: Mapping[str, Sequence[str]] | None = None,
        pairs: Sequence[Any] | None = None,
    ) -> list[tuple[str, str]]:
        """Return the problems of this analysis with these subjects and probes.

        Parameters
        ----------
        rules, architectures : sequence of str
            Of each subject.
        probes : sequence of str
            Those of the protocol.
        columns : mapping from name to sequence, optional
            Other settings of each subject. Without them, groups to hold out are checked for
            architectures only.
        measured : mapping from probe to sequence of str, optional
            Observables that can be read of each probe; not checked if not given.
        pairs : sequence, optional
            Pair of each subject, in a paired design.

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
        if pairs is not None:
            pairs = [pairs[row] for row in named]
        if architectures:
            architectures = [architectures[row] for row in named]
        return [
            *self._unknown(probes),
            *self._unmeasured(probes, measured),
            *self._unpublished(),
            *self._undivided(rules, pairs, _more_subjects(columns)),
            *self._held_out(rules, architectures, None if columns is None else kept),
        ]

    def check_primary(self, measured: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
        """Return the problems of the primary comparison: not in this analysis, or ambiguous.

        Parameters
        ----------
        measured : mapping from probe to sequence of str
            The observables that can be read of each probe of the protocol.

        Returns
        -------
        list of (field, message)
        """
        if self.primary is None:
            return []
        named = self.primary.named
        probes = list(measured) if self.probes is None else list(self.probes)
        offered: dict[str, list[str]] = {
            "probe": probes,
            "observable": list(self.observables),
            "classifier": list(self.classifiers),
        }
        absent = [
            (f"primary.{key}", f"no {key} {name!r} in this analysis. {suggest(name, offered[key])}")
            for key, name in named.items()
            if name not in offered[key]
        ]
        if absent:
            return absent
        every = (dict(zip(offered, names, strict=True)) for names in product(*offered.values()))
        left = [
            each
            for each in every
            if named.items() <= each.items()
            and each["observable"] in ("all", *measured.get(each["probe"], ()))
        ]
        if not left:
            who = f"probe {named['probe']!r}" if "probe" in named else "no probe"
            does = "does not measure" if "probe" in named else "measures"
            what = named.get("observable", " or ".join(self.observables))
            return [("primary", f"{who} {does} {what}. Name what is measured.")]
        if len(left) > 1:
            several = {key: dict.fromkeys(each[key] for each in left) for key in offered}
            missing = [f"{key} ({', '.join(s)})" for key, s in several.items() if len(s) > 1]
            found = f"leaves {len(left)} comparisons; name also its {' and '.join(missing)}."
            return [("primary", found)]
        return []

    def _unknown(self, probes: Sequence[str]) -> Iterator[tuple[str, str]]:
        for name in self.probes or ():
            if name not in probes:
                yield "probes", f"no probe {name!r}. {suggest(name, probes)}"
        for name in self.classifiers:
            if name not in CLASSIFIERS:
                yield "classifiers", f"no classifier {name!r}. {suggest(name, CLASSIFIERS)}"

    def _unmeasured(
        self, probes: Sequence[str], measured: Mapping[str, Sequence[str]] | None
    ) -> Iterator[tuple[str, str]]:
        if measured is None:
            return
        if not probes:
            yield "probes", "there are none. Add a recording design to the protocol's `probes`."
            return
        read = [name for name in self.probes or probes if name in measured]
        seen = {observable for name in read for observable in measured[name]}
        if read and "all" not in self.observables and not seen & set(self.observables):
            yield (
                "observables",
                f"none of these is measured by {', '.join(map(repr, read))}, which measure"
                f"{'s' if len(read) == 1 else ''} {', '.join(sorted(seen - {THEORY}))}.",
            )

    def _unpublished(self) -> Iterator[tuple[str, str]]:
        if self.scheme == "published" and THEORY in self.observables:
            yield (
                "observables",
                f"{THEORY!r} is for 'scheme: strict'; the published scheme reads the published "
                "statistics. Remove it, or choose 'strict'.",
            )

    def _undivided(
        self, rules: Sequence[str], pairs: Sequence[Any] | None, more: str
    ) -> Iterator[tuple[str, str]]:
        if len(set(rules)) < 2:
            one = f"only one rule, {rules[0]!r}," if rules else "no rule"
            rest = " beside 'others'" if self.others else ""
            yield "rules", f"there is {one} to identify{rest}; two or more are needed. Add rules."
            return
        if not (few := self.too_few(rules, pairs=pairs)):
            return
        count = min(few.values())
        fewest = count_noun(count, "subject" if pairs is None else "pair")
        needs = f"needs at least {self.needed}. {more}"
        if self.scheme != "strict":
            yield "splits", f"{fewest} per rule cannot be split 75/25; {needs}."
            return
        fit = f"'folds: {min(self.folds, max(count // 2, 2))}' and 'inner_folds: 2'"
        if count >= 4:
            remedy = f", or write {fit}."
        else:
            remedy = f": even {fit} need 4." if self.needed > 4 else "."
        groups = f"{self.folds} groups nested in {self.inner_folds}"
        yield "folds", f"{fewest} per rule cannot be split in {groups}; {needs}{remedy}"

    def _held_out(
        self,
        rules: Sequence[str],
        architectures: Sequence[str],
        columns: Mapping[str, Sequence[Any]] | None,
    ) -> Iterator[tuple[str, str]]:
        if self.scheme == "published":
            for field, given in (("hold_out", self.held_out), ("references", self.references)):
                if given:
                    yield (
                        field,
                        "is for 'scheme: strict'; the published scheme tests random splits. Remove "
                        "it, or choose 'strict'.",
                    )
            return
        if self.references and not set(self.held_out) & set(OF_KINDS):
            yield (
                "references",
                f"is for held-out groups. Add one of {', '.join(OF_KINDS)} to 'hold_out'.",
            )
        known = {**(columns or {}), "rule": rules, "architecture": architectures}
        if self.references and columns is not None:
            kinds = kinds_of(known)
            if set(kinds.tolist()) == {*without_halves(kinds, rules, known.get(PAIR))}:
                yield (
                    "references",
                    "need two subjects of each rule in a network and a task, two pairs in a paired "
                    f"design. {_more_subjects(columns)}.",
                )
        for split in self.held_out:
            checked = columns is not None or is_known(known, split)
            if checked and (problem := check_columns(known, split, self.inner_folds)):
                yield "hold_out", problem


def _more_subjects(columns: Mapping[str, Sequence[Any]] | None) -> str:
    """What to write for more subjects, or pairs, of each rule."""
    crossed = columns is not None and "model_seed" in columns
    return f"Raise subjects.{'seeds.model' if crossed else 'replicates'}"
