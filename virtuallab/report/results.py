"""Read the verdicts of a tree into plain records, one for each question that was asked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.vocabulary import CLASSIFIER, CONTROL, OBSERVABLE, PROBE


@dataclass(frozen=True)
class Estimate:
    """A number with the interval that it lies in.

    >>> str(Estimate(0.831, 0.79, 0.87))
    '0.83 [0.79, 0.87]'
    """

    value: float
    low: float
    high: float

    def is_above(self, chance: float) -> bool:
        """Whether the whole interval lies above chance."""
        return self.low > chance

    def __str__(self) -> str:
        if not math.isfinite(self.low):
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


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
    controls : mapping from name to Estimate
        Negative controls, which ought to be at chance.
    held_out : mapping from name to Estimate
        Accuracy on what was held out of training altogether, an architecture for one.
    whole_subjects : float, optional
        Where layers were the samples: the accuracy when each subject's layers are kept together.
    """

    analysis: str
    probe: str
    observable: str
    classifier: str
    accuracy: Estimate
    chance: float
    controls: Mapping[str, Estimate] = field(default_factory=dict)
    held_out: Mapping[str, Estimate] = field(default_factory=dict)
    whole_subjects: float | None = None

    @property
    def identifies(self) -> bool:
        """Whether the rule was identified above chance."""
        return self.accuracy.is_above(self.chance)

    @property
    def failed_controls(self) -> tuple[str, ...]:
        """Names of the controls that lie above chance, where no control should."""
        return tuple(n for n, control in self.controls.items() if control.is_above(self.chance))


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

    @property
    def best(self) -> Result | None:
        """The result with the highest accuracy, or None where nothing was measured."""
        return max(self.results, key=lambda result: result.accuracy.value, default=None)

    @property
    def best_of_probes(self) -> tuple[Result, ...]:
        """The best result of each probe, from the best probe to the worst."""
        best: dict[str, Result] = {}
        for result in self.results:
            known = best.get(result.probe)
            if known is None or result.accuracy.value > known.accuracy.value:
                best[result.probe] = result
        return tuple(sorted(best.values(), key=lambda r: -r.accuracy.value))


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
    if PROBE not in verdict.dims:
        verdict = verdict.expand_dims({PROBE: np.array([""], dtype=object)})
    # Where the probes' verdicts differ in it, chance is a variable and no attribute.
    chance = float(verdict.attrs.get("chance", 1.0 / verdict.sizes["true_rule"]))
    return Analysis(
        name=name,
        results=tuple(_rows(name, verdict, chance)),
        chance=chance,
        confidence=float(verdict.attrs.get("confidence", settings.get("confidence", 0.95))),
        scheme=str(verdict.attrs.get("scheme", settings.get("scheme", "strict"))),
        warnings=_warnings(verdict),
        dataset=verdict,
    )


def _rows(name: str, verdict: xr.Dataset, chance: float) -> list[Result]:
    rows = []
    for probe in verdict[PROBE].to_numpy():
        for observable in verdict[OBSERVABLE].to_numpy():
            for classifier in verdict[CLASSIFIER].to_numpy():
                at = {PROBE: probe, OBSERVABLE: observable, CLASSIFIER: classifier}
                cell = verdict.sel(at)
                accuracy = _estimate(cell, "balanced_accuracy", "interval")
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
                        controls=_estimates(cell, "control_accuracy", "control_interval", CONTROL),
                        held_out=_estimates(
                            cell, "held_out_accuracy", "held_out_interval", "held_out"
                        ),
                        whole_subjects=_without_optimism(cell, accuracy),
                    )
                )
    return rows


def _estimates(cell: xr.Dataset, value: str, interval: str, dim: str) -> dict[str, Estimate]:
    if value not in cell:
        return {}
    found = {
        str(name): _estimate(cell.sel({dim: name}), value, interval)
        for name in cell[dim].to_numpy()
    }
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def _without_optimism(cell: xr.Dataset, accuracy: Estimate) -> float | None:
    return accuracy.value - float(cell["optimism"]) if "optimism" in cell else None


def _estimate(cell: xr.Dataset, value: str, interval: str) -> Estimate | None:
    number = float(cell[value])
    if not math.isfinite(number):
        return None
    if interval not in cell:
        return Estimate(number, math.nan, math.nan)
    bounds = cell[interval]
    return Estimate(number, float(bounds.sel(bound="low")), float(bounds.sel(bound="high")))


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
