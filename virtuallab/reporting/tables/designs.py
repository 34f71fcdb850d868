"""Tables of recording designs for the terminal: ranking and power analysis."""

from __future__ import annotations

from typing import Final

import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.decoder.equivalence import EQUIVALENCE_MARGIN
from virtuallab.decoder.power_result import PowerResult
from virtuallab.reporting.results.comparison import best_sentence, controls_sentence, ranking
from virtuallab.reporting.results.power import PowerQuestion, sentences
from virtuallab.reporting.style import pretty, setting_name
from virtuallab.text import percent, short

_LISTED: Final = 20  # designs


def ranking_table(found: xr.Dataset) -> TerminalTable:
    """The best designs of a comparison, in order of accuracy.

    Parameters
    ----------
    found : xr.Dataset
        Result of :func:`virtuallab.compare`.

    Returns
    -------
    TerminalTable
    """
    rows = ranking(found)
    confidence = percent(float(found.attrs["confidence"]))
    caption = (
        "Behind: how far the accuracy is below the best in the same subjects; =: at most "
        f"{EQUIVALENCE_MARGIN:g} below the best, by the interval of the difference; ?: undecided. "
        f"The intervals are not corrected for the number of designs. {best_sentence(found)}"
    )
    if len(rows) > _LISTED:
        caption = f"{len(rows) - _LISTED} more are in the files. {caption}"
    table = terminal_table(
        title=f"{found.attrs['title']}: balanced accuracy, chance {found.attrs['chance']:.2f}",
        caption=f"{caption} {controls_sentence(found)}",
    )
    interval = f"{confidence} interval"
    for column in ("", "design", "observable", "classifier", "accuracy", interval, "behind"):
        table.add_column(column, overflow="fold", no_wrap=column == "accuracy")
    for row in rows[:_LISTED]:
        table.add_row(
            str(row.place),
            row.design,
            pretty(row.observable),
            pretty(row.classifier),
            f"{row.value:.2f}",
            f"{row.low:.2f}-{row.high:.2f}",
            row.rank_mark,
        )
    return table


def power_summary(found: PowerResult, asked: PowerQuestion) -> RenderableType:
    """The designs with the best accuracy at their cost, and sentences on the result.

    Parameters
    ----------
    found : PowerResult
    asked : PowerQuestion

    Returns
    -------
    rich renderable
    """
    table = terminal_table(
        title=f"{asked.title}: designs with the best balanced accuracy at their cost",
        caption="No other evaluated design is both cheaper and more accurate than one of these.",
    )
    paths = list(found.dearest.values)
    for column in (
        "cost",
        *map(setting_name, paths),
        "accuracy",
        f"{percent(found.confidence)} interval",
    ):
        table.add_column(column, justify="right")
    for each in found.front:
        table.add_row(
            f"{each.cost:.4g}",
            *(short(each.values[path]) for path in paths),
            f"{each.accuracy:.2f}",
            f"{each.low:.2f}-{each.high:.2f}",
        )
    return Group(table, *(plain(sentence) for sentence in sentences(found)), plain(asked.basis))
