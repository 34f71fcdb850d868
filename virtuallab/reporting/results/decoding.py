"""Records of what an analysis measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from virtuallab.reporting.results.certainty import CalibrationResult, CoverageResult, certainty
from virtuallab.reporting.results.controls import BESIDE, ControlOutcome
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import CLASSIFIER, OBSERVABLE, OBSERVABLES, PROBE


@dataclass(frozen=True)
class DecodingResult:
    """Accuracy of one classifier from one observable of one probe, and what belongs to it.

    Parameters
    ----------
    analysis, probe, observable, classifier : str
        Names, as in the protocol.
    accuracy : Estimate
        Balanced accuracy.
    chance : float
    controls : mapping from name to ControlOutcome
        Also controls that could not be evaluated.
    held_out : mapping from name to Estimate
        Accuracy on each group that was left out of training, such as ``architecture: knet4``.
    calibration : CalibrationResult, optional
    coverage : CoverageResult, optional
    left_out : mapping from rule to float
        For each rule that was left out of training the area under the ROC curve for telling it from
        the rules that the decoder knows.
    whole_subjects : float, optional
        Where layers were the samples: the accuracy with all layers of a subject kept together.
    simultaneous : Estimate, optional
        The accuracy with an interval that holds for all results of the analysis at once.
    """

    analysis: str
    probe: str
    observable: str
    classifier: str
    accuracy: Estimate
    chance: float
    controls: Mapping[str, ControlOutcome] = field(default_factory=dict)
    held_out: Mapping[str, Estimate] = field(default_factory=dict)
    calibration: CalibrationResult | None = None
    coverage: CoverageResult | None = None
    left_out: Mapping[str, float] = field(default_factory=dict)
    whole_subjects: float | None = None
    simultaneous: Estimate | None = None

    @property
    def cell(self) -> dict[str, str]:
        """Its place in the tables of the analysis."""
        return {PROBE: self.probe, OBSERVABLE: self.observable, CLASSIFIER: self.classifier}

    @property
    def title(self) -> str:
        """Probe, observable and classifier, for a figure."""
        return f"{self.probe}: {pretty(self.observable)}, {pretty(self.classifier)}"

    @property
    def identifies(self) -> bool:
        """Whether the accuracy lies above chance."""
        return self.accuracy.is_above(self.chance)

    @property
    def identifies_among_all(self) -> bool:
        """Whether it does so when all results of the analysis are judged together."""
        return self.simultaneous is not None and self.simultaneous.is_above(self.chance)

    @property
    def leaks(self) -> tuple[ControlOutcome, ...]:
        """Failed controls that must be at chance: the accuracy cannot be trusted."""
        return tuple(c for c in self.controls.values() if c.failed and c.kind == "chance")

    @property
    def limits(self) -> tuple[ControlOutcome, ...]:
        """Other failed controls: they limit what the accuracy means."""
        return tuple(c for c in self.controls.values() if c.failed and c.kind != "chance")

    @property
    def by_split(self) -> dict[str, dict[str, Estimate]]:
        """Accuracy on each held-out group, by split: ``{"task": {"digits": ...}}``."""
        found: dict[str, dict[str, Estimate]] = {}
        for label, accuracy in self.held_out.items():
            split, _, group = label.partition(": ")
            found.setdefault(split, {})[group] = accuracy
        return found

    @property
    def held_out_means(self) -> dict[str, float]:
        """Mean accuracy over the groups of each split."""
        return {
            split: float(np.mean([each.value for each in groups.values()]))
            for split, groups in self.by_split.items()
        }

    @property
    def certainty(self) -> str:
        """Calibration, coverage and recognition of left-out rules in one line."""
        return certainty(self.calibration, self.coverage, self.left_out)


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
        Of the decoder.
    dataset : xr.Dataset
        The analysis as it is stored, with the dims probe, observable and classifier.
    not_asked : mapping from probe to str
        Why a probe could not be decoded.
    named : mapping from str to str
        The primary probe, observable and classifier, as far as the protocol names them.
    """

    name: str
    results: tuple[DecodingResult, ...]
    chance: float
    confidence: float
    scheme: str
    warnings: tuple[str, ...]
    dataset: xr.Dataset
    not_asked: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def primary(self) -> DecodingResult | None:
        """The result that the protocol names as the answer to its question, or the only one."""
        if not self.named and len(self.results) > 1:
            return None
        named = [r for r in self.results if {k: r.cell[k] for k in self.named} == dict(self.named)]
        return named[0] if len(named) == 1 else None

    @property
    def shown(self) -> DecodingResult | None:
        """The result that is shown in detail: the primary one, or the best."""
        return self.primary or self.best

    @property
    def shown_as(self) -> str:
        """What the result that is shown is among the others."""
        if len(self.results) == 1:
            return "only result"
        return "primary result" if self.primary else f"best of {len(self.results)} results"

    @property
    def best(self) -> DecodingResult | None:
        """The result with the highest accuracy, or None if nothing was measured."""
        return max(self.results, key=lambda result: result.accuracy.value, default=None)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Every control that any result has, in the decoder's order."""
        return tuple(dict.fromkeys(name for r in self.results for name in r.controls))

    @property
    def chance_controls(self) -> tuple[ControlOutcome, ...]:
        """Controls of all results that must be at chance and were evaluated."""
        every = (control for result in self.results for control in result.controls.values())
        return tuple(control for control in every if control.asked and control.kind == "chance")

    @property
    def beside(self) -> tuple[str, ...]:
        """Controls that stand beside each accuracy in a table."""
        return tuple(name for name in self.control_names if name in BESIDE)

    @property
    def not_asked_controls(self) -> dict[str, int]:
        """Why controls were not evaluated, each reason with the number of results."""
        every = [control for result in self.results for control in result.controls.values()]
        return dict(Counter(f"{pretty(c.name)}: {c.note}" for c in every if not c.asked and c.note))

    @property
    def has_whole_subjects(self) -> bool:
        """Whether layers were the samples, and accuracies by whole subjects are known."""
        return any(result.whole_subjects is not None for result in self.results)

    @property
    def splits(self) -> tuple[str, ...]:
        """Everything by which groups were held out."""
        return tuple(dict.fromkeys(split for r in self.results for split in r.by_split))

    @property
    def luck(self) -> str:
        """How many controls lie above chance by luck, and how that is allowed for, in words."""
        return (
            f"By luck alone about one control in {1 / (1 - self.confidence):.0f} lies above "
            f"chance, so all {len(self.chance_controls)} are judged together (Holm correction): "
            "one of them may lie above chance and still pass."
        )

    @property
    def of_probes(self) -> tuple[DecodingResult, ...]:
        """One result of each probe, from the best probe to the worst.

        The one from the primary observable by the primary classifier if the probe has it, otherwise
        its best result.
        """
        chosen: dict[str, DecodingResult] = {}
        for result in sorted(self.results, key=lambda r: (not self._alike(r), -r.accuracy.value)):
            chosen.setdefault(result.probe, result)
        return tuple(sorted(chosen.values(), key=lambda r: -r.accuracy.value))

    @property
    def choice(self) -> str:
        """How :attr:`of_probes` were chosen, as part of a sentence."""
        if len(self.results) == len(self.of_probes):
            return "for each probe"
        if self.primary is None:
            return "for the best result of each probe, which had luck on its side"
        if all(map(self._alike, self.of_probes)):
            return "from the primary observable"
        return "from the primary observable, or the best that a probe has in its place"

    def _alike(self, result: DecodingResult) -> bool:
        primary = self.primary
        return primary is not None and (
            (result.observable, result.classifier) == (primary.observable, primary.classifier)
        )

    @property
    def counted(self) -> str:
        """The number of subjects, as the end of a sentence; empty if it is not stored."""
        found = self.dataset.get("n_subjects", self.dataset.attrs.get("n_subjects"))
        if found is None:
            return ""
        counts = sorted({int(count) for count in np.atleast_1d(np.asarray(found))})
        span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        return f"; {span} subjects"

    def by_probe(self) -> dict[str, list[DecodingResult]]:
        """The results of each probe."""
        found: dict[str, list[DecodingResult]] = {}
        for result in self.results:
            found.setdefault(result.probe, []).append(result)
        return found

    def by_classifier(self) -> dict[str, tuple[xr.DataArray, xr.DataArray]]:
        """Balanced accuracy and its interval, by classifier.

        Returns
        -------
        mapping from classifier to (accuracy, interval)
            Dims (probe, observable) and (probe, observable, bound), observables in the order of the
            vocabulary.
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
