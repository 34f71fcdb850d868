"""Read the verdicts of a tree into plain records, one for each question that was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.report.results.certainty import (
    Calibration,
    Coverage,
    calibration_of,
    certainty,
    coverage_of,
    left_out_of,
)
from virtuallab.report.results.controls import Control, controls_of
from virtuallab.report.results.estimate import Estimate, estimate
from virtuallab.vocabulary import CLASSIFIER, OBSERVABLE, PROBE

__all__ = ["Analysis", "Estimate", "Result", "analyses", "results"]


@dataclass(frozen=True)
class Result:
    """How well one classifier identified the rule from one observable of one probe.

    Parameters
    ----------
    analysis, probe, observable, classifier : str
        Names, as in the protocol.
    accuracy : Estimate
        Balanced accuracy.
    chance : float
    controls : mapping from name to Control
        What must hold for the accuracy to be believed; also those that could not be asked.
    held_out : mapping from name to Estimate
        Accuracy on what was held out of training altogether: ``architecture: knet4`` for one.
    calibration : Calibration, optional
    coverage : Coverage, optional
    left_out : mapping from rule to float
        How well each rule, left out of training, is told from those that the decoder knows: area
        under the curve.
    whole_subjects : float, optional
        Where layers were the samples: the accuracy when each subject's layers are kept together.
    simultaneous : Estimate, optional
        The accuracy with an interval that holds for all results of the analysis at once.
    """

    analysis: str
    probe: str
    observable: str
    classifier: str
    accuracy: Estimate
    chance: float
    controls: Mapping[str, Control] = field(default_factory=dict)
    held_out: Mapping[str, Estimate] = field(default_factory=dict)
    calibration: Calibration | None = None
    coverage: Coverage | None = None
    left_out: Mapping[str, float] = field(default_factory=dict)
    whole_subjects: float | None = None
    simultaneous: Estimate | None = None

    @property
    def identifies(self) -> bool:
        """Whether the rule was identified above chance."""
        return self.accuracy.is_above(self.chance)

    @property
    def identifies_among_all(self) -> bool:
        """Whether it still does when all results of the analysis are judged together."""
        return self.simultaneous is not None and self.simultaneous.is_above(self.chance)

    @property
    def failed_controls(self) -> tuple[str, ...]:
        """Names of the controls that were asked and did not hold."""
        return tuple(name for name, control in self.controls.items() if control.failed)

    @property
    def leaks(self) -> tuple[Control, ...]:
        """Failed controls that should be at chance: the accuracy cannot be trusted."""
        return tuple(c for c in self.controls.values() if c.failed and c.kind == "chance")

    @property
    def limits(self) -> tuple[Control, ...]:
        """Other failed controls: they limit what the accuracy means, and it may be believed."""
        return tuple(c for c in self.controls.values() if c.failed and c.kind != "chance")

    @property
    def by_split(self) -> dict[str, dict[str, Estimate]]:
        """Accuracy on each group held out, by what was held out: ``{"task": {"digits": ...}}``."""
        found: dict[str, dict[str, Estimate]] = {}
        for label, accuracy in self.held_out.items():
            split, named, group = label.partition(": ")
            # Older stores name the group alone.
            at = (split, group) if named else ("held out", label)
            found.setdefault(at[0], {})[at[1]] = accuracy
        return found

    @property
    def held_out_means(self) -> dict[str, float]:
        """Mean over the groups of each split."""
        return {
            split: float(np.mean([each.value for each in groups.values()]))
            for split, groups in self.by_split.items()
        }

    @property
    def certainty(self) -> str:
        """How far the decoder's own doubt can be believed, in one line."""
        return certainty(self.calibration, self.coverage, self.left_out)


@dataclass(frozen=True)
class Analysis:
    """One analysis of a tree: its results, and what holds for all of them."""

    name: str
    results: tuple[Result, ...]
    chance: float
    confidence: float
    scheme: str
    warnings: tuple[str, ...]
    dataset: xr.Dataset
    not_asked: Mapping[str, str] = field(default_factory=dict)
    """Reason, for each probe of which the question could not be asked."""
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def primary(self) -> Result | None:
        """The result that answers the question: that which the protocol names, or the only one."""
        if not self.named and len(self.results) > 1:
            return None
        cells = [{k: getattr(r, k) for k in self.named} == dict(self.named) for r in self.results]
        return self.results[cells.index(True)] if sum(cells) == 1 else None

    @property
    def shown(self) -> Result | None:
        """The result of which everything is shown: the primary one, or the best."""
        return self.primary or self.best

    @property
    def shown_as(self) -> str:
        """What the result that is shown is among the others."""
        if len(self.results) == 1:
            return "only result"
        return "primary result" if self.primary else f"best of {len(self.results)} results"

    @property
    def best(self) -> Result | None:
        """The result with the highest accuracy, or None where nothing was measured."""
        return max(self.results, key=lambda result: result.accuracy.value, default=None)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Every control that any result has, in the decoder's order."""
        return tuple(dict.fromkeys(name for r in self.results for name in r.controls))

    @property
    def splits(self) -> tuple[str, ...]:
        """Everything by which groups were held out."""
        return tuple(dict.fromkeys(split for r in self.results for split in r.by_split))

    @property
    def corrected(self) -> bool:
        """Whether controls were judged more severely the more of them were asked."""
        return "control_passed" in self.dataset

    @property
    def of_probes(self) -> tuple[Result, ...]:
        """One result of each probe, from the best probe to the worst.

        That from the primary observable by the primary classifier, where a primary result is named
        and the probe has it; its best result otherwise.
        """
        chosen: dict[str, Result] = {}
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

    def _alike(self, result: Result) -> bool:
        primary = self.primary
        return primary is not None and (
            (result.observable, result.classifier) == (primary.observable, primary.classifier)
        )


def results(tree: xr.DataTree) -> tuple[Result, ...]:
    """Every result of every analysis in a tree; none where nothing was decoded yet."""
    return tuple(result for analysis in analyses(tree) for result in analysis.results)


def analyses(tree: xr.DataTree) -> tuple[Analysis, ...]:
    """Every analysis in a tree: strict ones first, then by name."""
    if "decoding" not in tree.children:
        return ()
    nodes = tree["decoding"].children
    found = [
        _analysis(name, nodes[name].to_dataset().load(), _settings(tree, name))
        for name in sorted(nodes)
    ]
    return tuple(sorted(found, key=lambda analysis: (analysis.scheme != "strict", analysis.name)))


def _settings(tree: xr.DataTree, name: str) -> Mapping[str, Any]:
    """Find what the protocol says of an analysis, where it is known."""
    resolved = json.loads(tree.attrs.get("protocol_resolved", "{}"))
    settings = resolved.get("analyses", {}).get(name, {})
    return settings if isinstance(settings, dict) else {}


def _analysis(name: str, verdict: xr.Dataset, settings: Mapping[str, Any]) -> Analysis:
    asked = "balanced_accuracy" in verdict
    if asked and PROBE not in verdict.dims:
        verdict = verdict.expand_dims({PROBE: np.array([""], dtype=object)})
    # Where the probes' verdicts differ in it, chance is a variable and no attribute.
    usual = 1.0 / verdict.sizes["true_rule"] if asked else np.nan
    chance = float(verdict.attrs.get("chance", usual))
    return Analysis(
        name=name,
        results=tuple(_rows(name, verdict, chance)) if asked else (),
        chance=chance,
        confidence=float(verdict.attrs.get("confidence", settings.get("confidence", 0.95))),
        scheme=str(verdict.attrs.get("scheme", settings.get("scheme", "strict"))),
        warnings=_warnings(verdict),
        dataset=verdict,
        not_asked=json.loads(verdict.attrs.get("not_asked", "{}")),
        named=json.loads(str(verdict.attrs.get("primary", "{}"))),
    )


def _rows(name: str, verdict: xr.Dataset, chance: float) -> list[Result]:
    rows = []
    for probe in verdict[PROBE].to_numpy():
        for observable in verdict[OBSERVABLE].to_numpy():
            for classifier in verdict[CLASSIFIER].to_numpy():
                at = {PROBE: probe, OBSERVABLE: observable, CLASSIFIER: classifier}
                cell = verdict.sel(at)
                accuracy = estimate(cell, "balanced_accuracy", "interval")
                if accuracy is None:  # this probe has no such observable
                    continue
                rows.append(
                    Result(
                        analysis=name,
                        probe=str(probe),
                        observable=str(observable),
                        classifier=str(classifier),
                        accuracy=accuracy,
                        chance=chance,
                        controls=controls_of(cell, chance),
                        held_out=_held_out(cell),
                        calibration=calibration_of(cell),
                        coverage=coverage_of(cell),
                        left_out=left_out_of(cell),
                        simultaneous=estimate(cell, "balanced_accuracy", "simultaneous_interval"),
                        whole_subjects=_without_optimism(cell, accuracy),
                    )
                )
    return rows


def _held_out(cell: xr.Dataset) -> dict[str, Estimate]:
    if "held_out_accuracy" not in cell:
        return {}
    kept = cell[[name for name in cell.data_vars if str(name).startswith("held_out_")]]
    found = {
        str(name): estimate(kept.sel(held_out=name), "held_out_accuracy", "held_out_interval")
        for name in kept["held_out"].to_numpy()
    }
    return {name: accuracy for name, accuracy in found.items() if accuracy is not None}


def _without_optimism(cell: xr.Dataset, accuracy: Estimate) -> float | None:
    return accuracy.value - float(cell["optimism"]) if "optimism" in cell else None


def _warnings(verdict: xr.Dataset) -> tuple[str, ...]:
    """Collect what the decoder wants said, each with its probe's name."""
    if "warnings" not in verdict:
        return tuple(json.loads(verdict.attrs.get("warnings", "[]")))
    texts = verdict["warnings"].to_numpy().ravel()
    return tuple(
        f"{probe}: {warning}"
        for probe, text in zip(verdict[PROBE].to_numpy(), texts, strict=True)
        for warning in json.loads(str(text) or "[]")
    )
