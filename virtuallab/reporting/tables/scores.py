"""Scores of predictions for the terminal: a summary, the confusion matrix and each kind."""

from __future__ import annotations

import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.text import count_noun, percent


def score_summary(found: xr.Dataset) -> RenderableType:
    """The scores, the confusion matrix and, if kinds are known, the accuracy of each kind.

    Parameters
    ----------
    found : xr.Dataset
        Result of :func:`virtuallab.lab.scoring.score.score`.

    Returns
    -------
    rich renderable
    """
    parts: list[RenderableType] = [_scores(found), _confusion(found)]
    if "kind" in found.dims:
        parts.append(_kinds(found))
        lowest = found.isel(kind=0)
        said = f"Worst kind: {lowest['kind'].item()}, balanced accuracy {_estimate(lowest)}."
        parts.append(plain(said, "bold"))
    return Group(*parts)


def _estimate(kind: xr.Dataset) -> str:
    low, high = (float(bound) for bound in kind["kind_interval"])
    return f"{float(kind['kind_accuracy']):.3f} ({low:.3f} to {high:.3f})"


def _scores(found: xr.Dataset) -> TerminalTable:
    attributes = found.attrs
    low, high = (float(bound) for bound in found["interval"])
    sure = percent(attributes["confidence"])
    table = terminal_table(f"Scores of {count_noun(int(attributes['subjects']), 'subject')}")
    table.add_column("score")
    table.add_column("value")
    table.add_column("meaning")
    rows = {
        "balanced accuracy": (
            f"{float(found['balanced_accuracy']):.3f}",
            f"{sure} interval {low:.3f} to {high:.3f}; chance {attributes['chance']:.3f}",
        ),
        "log loss": (f"{float(found['log_loss']):.3f} nat", "mean; 0 is perfect"),
        "Brier score": (f"{float(found['brier']):.3f}", "summed over rules; 0 is perfect, 2 worst"),
        "calibration error": (
            f"{float(found['calibration_error']):.3f}",
            f"exact probabilities would have {float(found['calibration_error_least']):.3f}",
        ),
    }
    if "novelty_auroc" in found:
        others = count_noun(int(attributes["subjects_of_other_rules"]), "subject")
        rows["novelty AUROC"] = (
            f"{float(found['novelty_auroc']):.3f}",
            f"detection of {others} of other rules; 0.5 is guessing",
        )
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def _confusion(found: xr.Dataset) -> TerminalTable:
    names = [str(rule) for rule in found["predicted_rule"].values]
    table = terminal_table("Subjects by true rule (rows) and predicted rule (columns)")
    table.add_column("true rule")
    for name in names:
        table.add_column(name, justify="right")
    for true, row in zip(found["true_rule"].values, found["confusion"].values, strict=True):
        table.add_row(str(true), *(f"{float(cell):.4g}" for cell in row))
    return table


def _kinds(found: xr.Dataset) -> TerminalTable:
    table = terminal_table("Balanced accuracy of each kind, the lowest first")
    table.add_column("kind", overflow="fold")
    table.add_column("accuracy (interval)")
    table.add_column("subjects", justify="right")
    for place in range(found.sizes["kind"]):
        one = found.isel(kind=place)
        table.add_row(str(one["kind"].item()), _estimate(one), str(int(one["kind_subjects"])))
    return table
