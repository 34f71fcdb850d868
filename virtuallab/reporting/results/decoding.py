"""Results of an analysis as records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.decoder.levels import Level
from virtuallab.reporting.results.certainty import CalibrationResult, CoverageResult, certainty
from virtuallab.reporting.results.controls import COLUMNS, ControlOutcome
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import pretty
from virtuallab.text import count_noun, listed, percent
from virtuallab.vocabulary import CLASSIFIER, OBSERVABLE, OBSERVABLES, PROBE

REFERENCES: Final = (
    "A decoder trained on the other groups reads features relative to the median of references, "
    "subjects of the same network and task: under all rules, ten of these, under one rule, or "
    "under the rule of the tested subject, in part or all. References of the same rule remove what "
    "identifies it."
)


@dataclass(frozen=True)
class LevelResult:
    """Accuracy at a level of coarser questions than the rule.

    Parameters
    ----------
    level : Level
    groups : mapping from group to labels
        Rules of each group.
    accuracy : Estimate
        Balanced accuracy over groups.
    """

    level: Level
    groups: Mapping[str, Sequence[str]]
    accuracy: Estimate

    @property
    def chance(self) -> float:
        """Balanced accuracy of guessing a group."""
        return 1 / len(self.groups)

    @property
    def members(self) -> str:
        """Groups with their rules, as text."""
        return "; ".join(
            f"{group}: {listed(map(pretty, rules))}" for group, rules in self.groups.items()
        )


@dataclass(frozen=True)
class DecodingResult:
    """Accuracy of one classifier from one observable of one probe, with controls and calibration.

    Parameters
    ----------
    analysis, probe, observable, classifier : str
        Names, as in the protocol.
    accuracy : Estimate
        Balanced accuracy.
    chance : float
    controls : mapping from name to ControlOutcome
        Includes controls that could not be evaluated.
    held_out : mapping from name to Estimate
        Accuracy on each group that was left out of training, such as ``architecture: knet4``.
    referenced : mapping from choice to mapping from name to Estimate
        For each choice of references, accuracy on the groups of ``held_out`` relative to them.
    calibration : CalibrationResult, optional
    coverage : CoverageResult, optional
    left_out : mapping from rule to float
        For each rule that was left out of training, the area under the ROC curve for detecting it
        as unknown.
    whole_subjects : float, optional
        With layers as samples, the accuracy if all layers of a subject are kept together.
    simultaneous : Estimate, optional
        The accuracy with an interval corrected for the number of results of the analysis.
    levels : tuple of LevelResult
        Accuracies at coarser levels; empty in the published scheme.
    """

    analysis: str
    probe: str
    observable: str
    classifier: str
    accuracy: Estimate
    chance: float
    controls: Mapping[str, ControlOutcome] = field(default_factory=dict)
    held_out: Mapping[str, Estimate] = field(default_factory=dict)
    referenced: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    calibration: CalibrationResult | None = None
    coverage: CoverageResult | None = None
    left_out: Mapping[str, float] = field(default_factory=dict)
    whole_subjects: float | None = None
    simultaneous: Estimate | None = None
    levels: tuple[LevelResult, ...] = ()

    @property
    def cell(self) -> dict[str, str]:
        """Labels of this result in the dataset of the analysis."""
        return {PROBE: self.probe, OBSERVABLE: self.observable, CLASSIFIER: self.classifier}

    @property
    def title(self) -> str:
        """Probe, observable and classifier, as the title of a figure."""
        return f"{self.probe}: {pretty(self.observable)}, {pretty(self.classifier)}"

    @property
    def identifies(self) -> bool:
        """True if the accuracy is above chance."""
        return self.accuracy.is_above(self.chance)

    @property
    def identifies_among_all(self) -> bool:
        """True if the accuracy is above chance after correction for the number of results."""
        return self.simultaneous is not None and self.simultaneous.is_above(self.chance)

    @property
    def leaks(self) -> tuple[ControlOutcome, ...]:
        """Failed controls that invalidate the accuracy: those that must be at chance."""
        return tuple(c for c in self.controls.values() if c.failed and c.kind == "chance")

    @property
    def limits(self) -> tuple[ControlOutcome, ...]:
        """Controls of other kinds that did not pass, which limit the interpretation."""
        return tuple(c for c in self.controls.values() if c.is_limit)

    @property
    def by_split(self) -> dict[str, dict[str, Estimate]]:
        """Accuracy on each held-out group, by split: ``{"task": {"digits": ...}}``."""
        return _by_split(self.held_out)

    @property
    def held_out_means(self) -> dict[str, float]:
        """Mean accuracy over the groups of each split."""
        return _means(self.by_split)

    @property
    def referenced_groups(self) -> list[str]:
        """Names of the groups that were tested relative to any references."""
        found = dict.fromkeys(name for groups in self.referenced.values() for name in groups)
        return [name for name in self.held_out if name in found]

    @property
    def referenced_means(self) -> dict[str, dict[str, float]]:
        """Mean accuracy over the groups of each split, of each choice of references."""
        return {choice: _means(_by_split(groups)) for choice, groups in self.referenced.items()}

    @property
    def certainty(self) -> list[str]:
        """Sentences on calibration, prediction sets and left-out rules; empty if not measured."""
        return certainty(self.calibration, self.coverage, self.left_out)


def _by_split(groups: Mapping[str, Estimate]) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for label, accuracy in groups.items():
        split, _, group = label.partition(": ")
        found.setdefault(split, {})[group] = accuracy
    return found


def _means(splits: Mapping[str, Mapping[str, Estimate]]) -> dict[str, float]:
    return {
        split: float(np.mean([each.value for each in groups.values()]))
        for split, groups in splits.items()
    }


@dataclass(frozen=True)
class AnalysisResult:
    """All results of one analysis.

    Parameters
    ----------
    name : str
    results : tuple of DecodingResult
    chance, confidence : float
    scheme : {"strict", "published"}
    warnings : tuple of str
        Warnings of the decoder.
    dataset : xr.Dataset
        The analysis as stored, with the dimensions probe, observable and classifier.
    not_decoded : mapping from probe to str
        Reasons why probes could not be decoded.
    named : mapping from str to str
        Primary probe, observable and classifier, as far as the protocol names them.
    """

    name: str
    results: tuple[DecodingResult, ...]
    chance: float
    confidence: float
    scheme: str
    warnings: tuple[str, ...]
    dataset: xr.Dataset
    not_decoded: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def primary(self) -> DecodingResult | None:
        """The result that the protocol names as primary, or the only one."""
        if not self.named and len(self.results) > 1:
            return None
        named = [r for r in self.results if {k: r.cell[k] for k in self.named} == dict(self.named)]
        return named[0] if len(named) == 1 else None

    @property
    def shown(self) -> DecodingResult | None:
        """The result that is shown in detail: the primary result, or the best."""
        return self.primary or self.best

    @property
    def shown_as(self) -> str:
        """Description of the result that is shown, as part of a sentence."""
        if len(self.results) == 1:
            return "only result"
        return "primary result" if self.primary else f"best of {len(self.results)} results"

    @property
    def best(self) -> DecodingResult | None:
        """The result with the highest accuracy; None without results."""
        return max(self.results, key=lambda result: result.accuracy.value, default=None)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of all controls, in the decoder's order."""
        return tuple(dict.fromkeys(name for r in self.results for name in r.controls))

    @property
    def chance_controls(self) -> tuple[ControlOutcome, ...]:
        """Evaluated controls of all results that must be at chance."""
        every = (control for result in self.results for control in result.controls.values())
        return tuple(control for control in every if control.evaluated and control.kind == "chance")

    @property
    def column_controls(self) -> tuple[str, ...]:
        """Names of controls that have a column in the table of accuracies."""
        return tuple(name for name in self.control_names if name in COLUMNS)

    @property
    def not_evaluated_controls(self) -> dict[str, int]:
        """Reasons why controls were not evaluated, each with the number of results."""
        every = [control for result in self.results for control in result.controls.values()]
        reasons = (
            f"{pretty(c.name)} is not evaluated: {c.note}"
            for c in every
            if not c.evaluated and c.note
        )
        return dict(Counter(reasons))

    @property
    def has_whole_subjects(self) -> bool:
        """True if accuracies with all layers of a subject kept together are known."""
        return any(result.whole_subjects is not None for result in self.results)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the properties by which groups were held out, such as the architecture."""
        return tuple(dict.fromkeys(split for r in self.results for split in r.by_split))

    @property
    def n_rules(self) -> int:
        """Number of rules from which a classifier chooses."""
        return round(1 / self.chance)

    @property
    def explanation(self) -> str:
        """Sentences that explain balanced accuracy, its interval and chance."""
        tested = "subjects" if self.scheme == "strict" else "layers"
        return (
            f"Balanced accuracy is the mean over {count_noun(self.n_rules, 'rule')} of the share "
            f"of {tested} identified, tested on {tested} that were not used for training. It is "
            f"given with its {percent(self.confidence)} interval; chance is {self.chance:.2f}."
        )

    @property
    def multiplicity(self) -> str:
        """Sentence on the correction of controls for multiple tests."""
        return (
            f"By chance about one control in {1 / (1 - self.confidence):.0f} is above chance, so "
            f"the {count_noun(len(self.chance_controls), 'control')} are tested together (Holm "
            "correction): a control can be above chance on its own and still pass."
        )

    @cached_property
    def of_probes(self) -> tuple[DecodingResult, ...]:
        """One result of each probe, in order of accuracy.

        It is the result with the primary observable and classifier, or else the best of the probe.
        """
        chosen: dict[str, DecodingResult] = {}
        for result in sorted(
            self.results, key=lambda r: (not self._is_like_primary(r), -r.accuracy.value)
        ):
            chosen.setdefault(result.probe, result)
        return tuple(sorted(chosen.values(), key=lambda r: -r.accuracy.value))

    @property
    def choice(self) -> str:
        """Choice of :attr:`of_probes`, as part of a sentence."""
        if len(self.results) == len(self.of_probes):
            return "for each probe"
        if self.primary is None:
            return "for the best result of each probe (biased upwards by this choice)"
        if all(map(self._is_like_primary, self.of_probes)):
            return "from the primary observable"
        return "from the primary observable, or from the best of a probe without it"

    def _is_like_primary(self, result: DecodingResult) -> bool:
        primary = self.primary
        return primary is not None and (
            (result.observable, result.classifier) == (primary.observable, primary.classifier)
        )

    @property
    def counted(self) -> str:
        """Number of subjects, as the end of a sentence; empty if not stored."""
        found = self.dataset.get("n_subjects", self.dataset.attrs.get("n_subjects"))
        if found is None:
            return ""
        counts = sorted({int(count) for count in np.atleast_1d(np.asarray(found))})
        span = "" if len(counts) == 1 else f"{counts[0]} to "
        return f"; {span}{count_noun(counts[-1], 'subject')}"

    def by_probe(self) -> dict[str, list[DecodingResult]]:
        """Results of each probe."""
        found: dict[str, list[DecodingResult]] = {}
        for result in self.results:
            found.setdefault(result.probe, []).append(result)
        return found

    def by_classifier(self) -> dict[str, tuple[xr.DataArray, xr.DataArray]]:
        """Balanced accuracy and its interval, by classifier.

        Returns
        -------
        mapping from classifier to (accuracy, interval)
            Dimensions (probe, observable) and (probe, observable, bound).
        """
        names = [str(name) for name in self.dataset[OBSERVABLE].to_numpy()]
        rank: dict[str, int] = {name: i for i, name in enumerate(OBSERVABLES)}
        ordered = sorted(names, key=lambda name: rank.get(name, len(names)))
        chosen = self.dataset.sel({OBSERVABLE: ordered}).transpose(PROBE, OBSERVABLE, ...)
        value, interval = chosen["balanced_accuracy"], chosen["interval"]
        return {
            str(name): (value.sel({CLASSIFIER: name}), interval.sel({CLASSIFIER: name}))
            for name in self.dataset[CLASSIFIER].to_numpy()
        }
