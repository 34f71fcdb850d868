"""Tables of results and controls for the terminal, with the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.reporting.results.analyses import analyses
from virtuallab.reporting.results.controls import BESIDE, ControlOutcome
from virtuallab.reporting.results.decoding import AnalysisResult, DecodingResult
from virtuallab.reporting.results.verdict import Conclusion, judge
from virtuallab.reporting.style import pretty
from virtuallab.text import percent

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
_WIDTH: Final = 80  # columns of a terminal that nobody has widened
_FEWEST: Final = 15  # columns that a name can be folded into and still be read


def verdict_table(tree: xr.DataTree) -> RenderableType:
    """Tables of each analysis with its verdict, readable without colour and in 80 columns.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment, as :func:`virtuallab.open` returns it.
    """
    found = analyses(tree)
    if not found:
        return plain("Nothing is decoded yet, so there is no verdict.")
    parts: list[RenderableType] = []
    for analysis in found:
        verdict = judge(analysis)
        classifiers = dict.fromkeys(result.classifier for result in analysis.results)
        for classifier in classifiers:
            for table in _accuracies(analysis, classifier):
                parts += [plain(""), table]
        parts += _of_the_shown(analysis)
        parts += [plain(""), plain(verdict.sentence, _COLOURS[verdict.conclusion])]
        parts += [plain(remark) for remark in verdict.remarks]
    return Group(*parts)


def _accuracies(analysis: AnalysisResult, classifier: str) -> Iterator[TerminalTable]:
    """The results of one classifier; held-out groups in a table of their own if it is too wide."""
    members = [result for result in analysis.results if result.classifier == classifier]
    columns = {"accuracy": [str(result.accuracy) for result in members]}
    for name in analysis.beside:
        columns[_SHORT_NAMES.get(name, name)] = [_control(result, name) for result in members]
    if analysis.has_whole_subjects:
        columns["whole subjects"] = [_plain(result.whole_subjects) for result in members]
    held_out = {
        pretty(split): [_plain(result.held_out_means.get(split)) for result in members]
        for split in analysis.splits
    }
    title = f"{analysis.name}: balanced accuracy of {classifier}, chance {analysis.chance:.2f}"
    brackets = f"in brackets the {percent(analysis.confidence)} interval"
    marks = [brackets, "! a control above chance"] if analysis.beside else [brackets]
    listed = f"{', '.join(held_out)}: never trained on, mean over groups"
    if _width(members, columns | held_out) <= _WIDTH:
        said = [*marks, listed] if held_out else marks
        yield _by_result(analysis, members, columns | held_out, title, "; ".join(said))
        return
    yield _by_result(analysis, members, columns, title, "; ".join(marks))
    if held_out:
        apart = f"{analysis.name}: {classifier}, held out"
        yield _by_result(analysis, members, held_out, apart, "never trained on; mean over groups")


def _width(members: Sequence[DecodingResult], columns: dict[str, list[str]]) -> int:
    """Columns of a terminal that a table takes."""
    names = ([r.probe for r in members], [r.observable for r in members])
    of_names = [min(_FEWEST, max(map(len, each), default=0)) for each in names]
    # A header may stand in two lines.
    of_columns = [
        max(len(text) for text in (*header.split(), *cells)) for header, cells in columns.items()
    ]
    return 1 + sum(width + 2 for width in (*of_names, *of_columns))


def _by_result(
    analysis: AnalysisResult,
    members: Sequence[DecodingResult],
    columns: dict[str, list[str]],
    title: str,
    caption: str,
) -> TerminalTable:
    """A row for each result; one result of each probe is bold."""
    table = terminal_table(title, caption)
    table.add_column("probe", overflow="fold")
    table.add_column("observable", overflow="fold")
    for header in columns:
        longest = max(map(len, columns[header]), default=0)
        table.add_column(header, min_width=max(longest, *map(len, header.split())))
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


def _of_the_shown(analysis: AnalysisResult) -> Iterator[RenderableType]:
    """Controls of the primary or best result, and its calibration."""
    shown = analysis.shown
    if shown is None:
        return
    if any(_needs_words(control) for control in shown.controls.values()):
        yield plain("")
        yield _controls(analysis, shown)
    if shown.certainty:
        yield plain("")
        yield plain(f"Of the {analysis.shown_as}: {shown.certainty}.")


def _needs_words(control: ControlOutcome) -> bool:
    """Whether the mark beside an accuracy does not say everything."""
    return control.name not in BESIDE or bool(control.note and not control.asked)


def _controls(analysis: AnalysisResult, shown: DecodingResult) -> TerminalTable:
    of = f"of {shown.observable} in {shown.probe} by {shown.classifier}"
    if any(control.passed_above(analysis.chance) for control in shown.controls.values()):
        of = f"{of}. {analysis.luck}"
    table = terminal_table(f"{analysis.name}: controls of the {analysis.shown_as}", of)
    table.add_column("control", no_wrap=True)
    table.add_column("must be", no_wrap=True)
    table.add_column("accuracy", no_wrap=True)
    table.add_column("outcome")
    for control in shown.controls.values():
        colour = "" if not control.failed else "red" if control.kind == "chance" else "yellow"
        accuracy = "-" if control.accuracy is None else str(control.accuracy)
        cells = (pretty(control.name), control.must_be, accuracy)
        table.add_row(*cells, plain(control.outcome, colour))
    return table


def _control(result: DecodingResult, name: str) -> str:
    """A control without its interval, marked if it failed."""
    control = result.controls.get(name)
    if control is None or control.accuracy is None:
        return "-"
    return f"{control.accuracy.value:.2f}{' !' if control.failed else ''}"


def _plain(number: float | None) -> str:
    return "-" if number is None else f"{number:.2f}"
