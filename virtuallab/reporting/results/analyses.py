"""Reads the analyses of a store into records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

from virtuallab.reporting.results.certainty import read_calibration, read_coverage, read_left_out
from virtuallab.reporting.results.controls import read_controls
from virtuallab.reporting.results.decoding import AnalysisResult, DecodingResult
from virtuallab.reporting.results.estimate import Estimate, read_estimate
from virtuallab.reporting.results.levels import read_levels
from virtuallab.text import diverged
from virtuallab.vocabulary import CLASSIFIER, DIVERGED, FAILED, OBSERVABLE, PENDING, PROBE


def analyses(tree: xr.DataTree) -> tuple[AnalysisResult, ...]:
    """Analyses of a store, strict ones first, then by name; empty before decoding."""
    if "decoding" not in tree.children:
        return ()
    nodes = tree["decoding"].children
    found = [
        _analysis(name, nodes[name].to_dataset().load(), _settings(tree, name))
        for name in sorted(nodes)
    ]
    return tuple(sorted(found, key=lambda analysis: (analysis.scheme != "strict", analysis.name)))


def why_none(tree: xr.DataTree) -> str:
    """Sentences on why an experiment has no analyses with results.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment without ``/decoding``.
    """
    subjects = tree["subjects"].to_dataset() if "subjects" in tree.children else xr.Dataset()
    if "status" in subjects:
        status = subjects["status"]
        if bool((status == PENDING).any()):
            return "Nothing is decoded yet, so there is no verdict."
        if bool(status.isin((DIVERGED, FAILED)).all()):
            lost = diverged(status.size, status.size)
            return f"Nothing could be recorded or decoded, so there is no verdict. {lost}."
    if json.loads(tree.attrs.get("protocol_resolved", "{}")).get("analyses") == {}:
        return (
            "The protocol has no analyses, so there is no verdict. Add some to it and run it "
            "again, or use those of another: virtuallab decode STORE --protocol FILE."
        )
    return "Nothing is decoded yet, so there is no verdict."


def _settings(tree: xr.DataTree, name: str) -> Mapping[str, Any]:
    """Settings of an analysis in the protocol, if they are stored."""
    resolved = json.loads(tree.attrs.get("protocol_resolved", "{}"))
    settings = resolved.get("analyses", {}).get(name, {})
    return settings if isinstance(settings, dict) else {}


def _analysis(name: str, verdict: xr.Dataset, settings: Mapping[str, Any]) -> AnalysisResult:
    decoded = "balanced_accuracy" in verdict
    if decoded and PROBE not in verdict.dims:
        verdict = verdict.expand_dims({PROBE: np.array([""], dtype=object)})
    # If chance differs between probes, it is a variable and not an attribute.
    usual = 1.0 / verdict.sizes["true_rule"] if decoded else np.nan
    chance = float(verdict.attrs.get("chance", usual))
    return AnalysisResult(
        name=name,
        results=tuple(_rows(name, verdict, chance)) if decoded else (),
        chance=chance,
        confidence=float(verdict.attrs.get("confidence", settings.get("confidence", 0.95))),
        scheme=str(verdict.attrs.get("scheme", settings.get("scheme", "strict"))),
        warnings=_warnings(verdict),
        dataset=verdict,
        not_decoded=json.loads(verdict.attrs.get("not_decoded", "{}")),
        named=json.loads(str(verdict.attrs.get("primary", "{}"))),
    )


def _rows(name: str, verdict: xr.Dataset, chance: float) -> list[DecodingResult]:
    rows = []
    places = (PROBE, OBSERVABLE, CLASSIFIER)
    for names in product(*(map(str, verdict[place].to_numpy()) for place in places)):
        probe, observable, classifier = names
        cell = verdict.sel(dict(zip(places, names, strict=True)))
        accuracy = read_estimate(cell, "balanced_accuracy", "interval")
        if accuracy is None:  # this probe has no such observable
            continue
        rows.append(
            DecodingResult(
                name,
                probe,
                observable,
                classifier,
                accuracy,
                chance,
                controls=read_controls(cell),
                held_out=_held_out(cell),
                referenced=_referenced(cell),
                calibration=read_calibration(cell),
                coverage=read_coverage(cell),
                left_out=read_left_out(cell),
                simultaneous=read_estimate(cell, "balanced_accuracy", "simultaneous_interval"),
                whole_subjects=_without_optimism(cell, accuracy),
                levels=read_levels(cell),
            )
        )
    return rows


def _held_out(cell: xr.Dataset) -> dict[str, Estimate]:
    if "held_out_accuracy" not in cell:
        return {}
    kept = cell[[name for name in cell.data_vars if str(name).startswith("held_out_")]]
    found = {
        str(name): read_estimate(kept.sel(held_out=name), "held_out_accuracy", "held_out_interval")
        for name in kept["held_out"].to_numpy()
    }
    return {name: accuracy for name, accuracy in found.items() if accuracy is not None}


def _referenced(cell: xr.Dataset) -> dict[str, dict[str, Estimate]]:
    if "referenced_accuracy" not in cell:
        return {}
    names = {"referenced_accuracy": "held_out_accuracy", "referenced_interval": "held_out_interval"}
    kept = cell[list(names)].rename({**names, "held_out_kind": "held_out"})
    return {
        str(choice): _held_out(kept.sel(reference=choice))
        for choice in kept["reference"].to_numpy()
    }


def _without_optimism(cell: xr.Dataset, accuracy: Estimate) -> float | None:
    return accuracy.value - float(cell["optimism"]) if "optimism" in cell else None


def _warnings(verdict: xr.Dataset) -> tuple[str, ...]:
    """Warnings of the decoder, each with the name of its probe."""
    if "warnings" not in verdict:
        return tuple(json.loads(verdict.attrs.get("warnings", "[]")))
    texts = verdict["warnings"].to_numpy().ravel()
    return tuple(
        f"{probe}: {warning}"
        for probe, text in zip(verdict[PROBE].to_numpy(), texts, strict=True)
        for warning in json.loads(str(text) or "[]")
    )
