"""The verdict for a terminal."""

from __future__ import annotations

import xarray as xr
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from virtuallab.report.results import Analysis, Estimate, Result, analyses
from virtuallab.report.verdict import Finding, judge

_COLOURS = {
    Finding.IDENTIFIED: "green",
    Finding.NOT_IDENTIFIED: "yellow",
    Finding.CONTROL_FAILED: "red",
    Finding.NOTHING: "yellow",
}
_SHORT = {"permuted_labels": "permuted", "visit_0": "visit 0"}


def verdict_table(tree: xr.DataTree) -> RenderableType:
    """Lay out what an experiment found: a sentence and a table for each analysis.

    Reads as well without colour, and fits in 80 columns unless names are long.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment, as :func:`virtuallab.open` gives it.
    """
    found = analyses(tree)
    if not found:
        return Text("Nothing is decoded yet, so there is no verdict.")
    parts: list[RenderableType] = []
    for analysis in found:
        verdict = judge(analysis)
        classifiers = dict.fromkeys(result.classifier for result in analysis.results)
        for classifier in classifiers:
            parts += [Text(), _table(analysis, classifier)]
        parts += [Text(), Text(verdict.sentence, _COLOURS[verdict.finding])]
        parts += [Text(remark) for remark in verdict.remarks]
    return Group(*parts)


def _table(analysis: Analysis, classifier: str) -> Table:
    """Lay out the results of one classifier; the best result of each probe is bold."""
    controls = list(dict.fromkeys(n for result in analysis.results for n in result.controls))
    held_out = list(dict.fromkeys(n for result in analysis.results for n in result.held_out))
    table = Table(
        title=f"{analysis.name}: balanced accuracy of {classifier}, chance {analysis.chance:.2f}",
        caption=_caption(analysis, bool(controls)),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("probe", overflow="fold")
    table.add_column("observable", overflow="fold")
    whole = any(result.whole_subjects is not None for result in analysis.results)
    names = ["accuracy", *(_SHORT.get(c, c) for c in controls), *held_out]
    for name in (*names, "whole subjects") if whole else names:
        table.add_column(name, no_wrap=True)
    before = ""
    for result in (r for r in analysis.results if r.classifier == classifier):
        if before not in ("", result.probe):
            table.add_section()
        cells = [result.probe if result.probe != before else "", result.observable]
        cells += [str(result.accuracy)]
        cells += [_control(result, name) for name in controls]
        cells += [_plain(result.held_out.get(name)) for name in held_out]
        if result.whole_subjects is not None:
            cells += [f"{result.whole_subjects:.2f}"]
        table.add_row(
            *map(Text, cells), style="bold" if result in analysis.best_of_probes else None
        )
        before = result.probe
    return table


def _caption(analysis: Analysis, controls: bool) -> str:
    brackets = f"in brackets the {100 * analysis.confidence:g} % interval"
    return f"{brackets}; ! a control above chance" if controls else brackets


def _control(result: Result, name: str) -> str:
    """Write a control without its interval, marked where it fails."""
    if name not in result.controls:
        return "-"
    mark = " !" if name in result.failed_controls else ""
    return f"{result.controls[name].value:.2f}{mark}"


def _plain(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.value:.2f}"
