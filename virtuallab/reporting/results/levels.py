"""Accuracies at coarser levels than the rule, from the confusion matrix of a result."""

from __future__ import annotations

import json

import xarray as xr

from virtuallab.decoder.levels import Level, coarse_confusion, informative_levels
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.reporting.results.decoding import LevelResult
from virtuallab.reporting.results.estimate import Estimate


def read_levels(cell: xr.Dataset) -> tuple[LevelResult, ...]:
    """Accuracy of one probe, observable and classifier at each stored level.

    Levels that do not group the rules of this result are left out, and all levels in the published
    scheme, whose interval is that of random splits, and in a paired design, where pairs may be more
    alike at a level than they are for rules.
    """
    stored = json.loads(str(cell.attrs.get("levels", "[]")))
    if not stored or cell.attrs.get("scheme") != "strict" or "pair_effect" in cell:
        return ()
    confusion = cell["confusion"].dropna("true_rule", how="all").dropna("predicted_rule", how="all")
    rules = [str(rule) for rule in confusion["true_rule"].to_numpy()]
    found = []
    for level in informative_levels((Level(**each) for each in stored), rules):
        counts = coarse_confusion(confusion, level).to_numpy()
        bounds = interval(
            counts, float(cell.attrs["confidence"]), repeats=int(cell.attrs.get("repeats", 1))
        )
        accuracy = Estimate(balanced_accuracy(counts), *bounds)
        found.append(LevelResult(level, level.members(rules), accuracy))
    return tuple(found)
