"""Tables of results and controls for the terminal, with the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import FOLDED_WIDTH, TerminalTable, plain, terminal_table
from virtuallab.reporting.results.analyses import analyses, why_none
from virtuallab.reporting.results.controls import (
    COLUMNS,
    ControlOutcome,
    explain_kinds,
)
from virtuallab.reporting.results.decoding import REFERENCES, AnalysisResult, DecodingResult
from virtuallab.reporting.results.verdict import Conclusion, judge
from virtuallab.reporting.style import pretty
from virtuallab.text import listed

_COLOURS: Final = {
    Conclusion.IDENTIFIED: "green",
    Conclusion.NOT_IDENTIFIED: "yellow",
    Conclusion.CONTROL_FAILED: "red",
    Conclusion.NOTHING: "yellow",
}
_SHORT_NAMES: Final = {
    "permuted_labels": "permuted",
    "visit_0": "visit 0",
    "signal_removed": "noise",
}
_WIDTH: Final = 80  # columns of a terminal of default size
_NOTE: Final = "dim italic"


def verdict_table(tree: xr.DataTree) -> RenderableType:
    """Tables of each analysis with its verdict, readable without colour and in 80 columns.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment, as :func:`virtuallab.open` returns it.

    Returns
    -------
    rich renderable
    """
    found = analyses(tree)
    if not found:
        return plain(why_none(tree))
    parts: list[RenderableType] = []
    for analysis in found:
        verdict = judge(analysis)
        parts += _levels(analysis)
        for table in _accuracies(analysis):
            parts += [plain(""), table]
        if analysis.results:
            parts.append(plain(_legend(analysis), _NOTE))
        parts += _referenced(analysis)
        parts += _details(analysis)
        parts += [plain(""), plain(verdict.sentence, _COLOURS[verdict.conclusion])]
        parts += [plain(remark) for remark in verdict.remarks]
    return Group(*parts)


def _levels(analysis: AnalysisResult) -> Iterator[RenderableType]:
    """Accuracy of the primary or best result at each level, and for the rule itself."""
    shown = analysis.shown
    if shown is None or not shown.levels:
        return
    table = terminal_table(
        f"{analysis.name}: what the {analysis.shown_as} answers "
        f"({shown.observable} in {shown.probe} by {shown.classifier})"
    )
    for header in ("question", "groups", "accuracy", "chance"):
        table.add_column(header, no_wrap=True, justify="left" if header == "question" else "right")
    for each in shown.levels:
        table.add_row(
            each.level.question, str(len(each.groups)), str(each.accuracy), f"{each.chance:.2f}"
        )
    table.add_row("Which rule?", str(analysis.n_rules), str(shown.accuracy), f"{shown.chance:.2f}")
    yield plain("")
    yield table


def _accuracies(analysis: AnalysisResult) -> Iterator[TerminalTable]:
    """Results of each classifier; those on held-out groups in a second table if it is too wide."""
    for classifier in dict.fromkeys(result.classifier for result in analysis.results):
        members = [result for result in analysis.results if result.classifier == classifier]
        columns = {"accuracy": [str(result.accuracy) for result in members]}
        for name in analysis.column_controls:
            columns[_short_name(name)] = [_control(result, name) for result in members]
        if analysis.has_whole_subjects:
            columns["whole subjects"] = [_number(result.whole_subjects) for result in members]
        held_out = {
            pretty(split): [_number(r.held_out_means.get(split)) for r in members]
            for split in analysis.splits
        }
        chance = f"chance {analysis.chance:.2f}"
        title = f"{analysis.name}: balanced accuracy of {classifier}, {chance}"
        wide = columns | {f"held-out {split}": cells for split, cells in held_out.items()}
        if _width(members, wide) <= _WIDTH:
            yield _by_result(analysis, members, wide, title)
            continue
        yield _by_result(analysis, members, columns, title)
        if held_out:
            title = f"{analysis.name}: {classifier} on held-out groups, {chance}"
            yield _by_result(analysis, members, held_out, title)


def _referenced(analysis: AnalysisResult) -> Iterator[RenderableType]:
    """Accuracy on held-out groups of the primary or best result, by the choice of references."""
    shown = analysis.shown
    if shown is None or not shown.referenced_groups:
        return
    splits = dict.fromkeys(name.partition(": ")[0] for name in shown.referenced_groups)
    table = terminal_table(
        f"{analysis.name}: held-out groups relative to references of their kind "
        f"({shown.observable} in {shown.probe} by {shown.classifier})"
    )
    table.add_column("references", overflow="fold")
    for split in splits:
        table.add_column(f"held-out {pretty(split)}", justify="right")
    rows = {"none": shown.held_out_means, **shown.referenced_means}
    for choice, means in rows.items():
        table.add_row(choice, *(_number(means.get(split)) for split in splits))
    yield plain("")
    yield table
    yield plain(REFERENCES, _NOTE)


def _legend(analysis: AnalysisResult) -> str:
    """Sentences that explain the columns."""
    said = [analysis.explanation]
    if analysis.column_controls:
        names = listed(map(_short_name, analysis.column_controls))
        said.append(f"Controls that must be at chance: {names}; ! marks one above chance.")
    if analysis.has_whole_subjects:
        said.append("Whole subjects: accuracy with all layers of a subject kept together.")
    if analysis.splits:
        said.append("Held-out: mean accuracy on groups that were not used for training.")
    return " ".join(said)


def _short_name(control: str) -> str:
    return _SHORT_NAMES.get(control, control)


def _width(members: Sequence[DecodingResult], columns: dict[str, list[str]]) -> int:
    """Width of a table in columns of the terminal."""
    names = ([r.probe for r in members], [r.observable for r in members])
    of_names = [min(FOLDED_WIDTH, max(map(len, each), default=0)) for each in names]
    of_columns = [max(_header_width(header), *map(len, cells)) for header, cells in columns.items()]
    return 1 + sum(width + 2 for width in (*of_names, *of_columns))


def _header_width(header: str) -> int:
    """Columns that a header needs, whose words are in several lines if it is long."""
    return len(header) if len(header) <= len("visit 0") else max(map(len, header.split()))


def _by_result(
    analysis: AnalysisResult,
    members: Sequence[DecodingResult],
    columns: dict[str, list[str]],
    title: str,
) -> TerminalTable:
    """Table with a row for each result; one result of each probe is bold."""
    table = terminal_table(title)
    table.add_column("probe", overflow="fold")
    table.add_column("observable", overflow="fold")
    for header in columns:
        cells = map(len, columns[header])
        table.add_column(header, min_width=max(_header_width(header), *cells))
    before = ""
    for place, result in enumerate(members):
        if before not in ("", result.probe):
            table.add_section()
        names = [result.probe if result.probe != before else "", result.observable]
        table.add_row(
            *names,
            *(cells[place] for cells in columns.values()),
            style="bold" if result in analysis.of_probes else None,
        )
        before = result.probe
    return table


def _details(analysis: AnalysisResult) -> Iterator[RenderableType]:
    """Controls and calibration of the primary or best result."""
    shown = analysis.shown
    if shown is None:
        return
    if any(_needs_row(control) for control in shown.controls.values()):
        yield plain("")
        yield _controls(analysis, shown)
    if shown.certainty:
        yield plain("")
        yield plain(f"{analysis.name}: certainty of the {analysis.shown_as}", "bold")
        yield from map(plain, shown.certainty)


def _needs_row(control: ControlOutcome) -> bool:
    """Whether the column of a control does not show its outcome in full."""
    return control.name not in COLUMNS or bool(control.note and not control.evaluated)


def _controls(analysis: AnalysisResult, shown: DecodingResult) -> TerminalTable:
    controls = shown.controls.values()
    caption = explain_kinds(controls)
    if any(control.passed_above(analysis.chance) for control in controls):
        caption = f"{caption} {analysis.multiplicity}"
    table = terminal_table(
        f"{analysis.name}: controls of the {analysis.shown_as} "
        f"({shown.observable} in {shown.probe} by {shown.classifier})",
        f"{caption} The report describes each control.",
    )
    for header in ("control", "must be", "accuracy"):
        table.add_column(header, no_wrap=True)
    table.add_column("outcome")
    for control in controls:
        colour = "yellow" if control.is_limit else "red" if control.failed else ""
        accuracy = "-" if control.accuracy is None else str(control.accuracy)
        cells = (pretty(control.name), control.must_be, accuracy)
        table.add_row(*cells, plain(control.outcome, colour))
    return table


def _control(result: DecodingResult, name: str) -> str:
    """Accuracy of a control without its interval, marked if it failed."""
    control = result.controls.get(name)
    if control is None or control.accuracy is None:
        return "-"
    return f"{control.accuracy.value:.2f}{' !' if control.failed else ''}"


def _number(number: float | None) -> str:
    return "-" if number is None else f"{number:.2f}"
