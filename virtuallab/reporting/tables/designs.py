"""Tables of recording designs for the terminal: the ranking, and the answer of a power analysis."""

from __future__ import annotations

from typing import Final

import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.decoder.power_result import PowerResult
from virtuallab.reporting.results.comparison import best_sentence, controls_sentence, ranking
from virtuallab.reporting.results.power import PowerQuestion, sentences
from virtuallab.reporting.style import pretty, setting_name
from virtuallab.text import percent, short

_LISTED: Final = 20  # designs


def ranking_table(found: xr.Dataset) -> TerminalTable:
    """The best designs of a comparison.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.lab.designs.compare.compare` returns it.
    """
    rows = ranking(found)
    confidence = percent(float(found.attrs["confidence"]))
    caption = (
        f"=: taken alone, cannot be told from the best by these subjects. {best_sentence(found)}"
    )
    if len(rows) > _LISTED:
        caption = f"{len(rows) - _LISTED} more are in the files. {caption}"
    table = terminal_table(
        title=f"{found.attrs['title']}: balanced accuracy, chance {found.attrs['chance']:.2f}",
        caption=f"{caption} {controls_sentence(found)}",
    )
    for column in ("", "design", "from", "by", "accuracy", confidence, "behind"):
        table.add_column(column, overflow="fold", no_wrap=column in ("accuracy", confidence))
    for row in rows[:_LISTED]:
        table.add_row(
            str(row.place),
            row.design,
            pretty(row.observable),
            pretty(row.classifier),
            f"{row.value:.2f}",
            f"{row.low:.2f}-{row.high:.2f}",
            "=" if row.is_tied else f"{row.behind:.2f}",
        )
    return table


def power_summary(found: PowerResult, asked: PowerQuestion) -> RenderableType:
    """The designs that no other beats in both cost and accuracy, and the answer in sentences.

    Parameters
    ----------
    found : PowerResult
    asked : PowerQuestion
    """
    table = terminal_table(
        title=f"{asked.title}: what no other design tried beats in both cost and accuracy",
    )
    paths = list(found.dearest.values)
    for column in ("cost", *map(setting_name, paths), "accuracy", percent(found.confidence)):
        table.add_column(column, justify="right")
    for each in found.front:
        table.add_row(
            f"{each.cost:.4g}",
            *(short(each.values[path]) for path in paths),
            f"{each.accuracy:.2f}",
            f"{each.low:.2f}-{each.high:.2f}",
        )
    return Group(table, *(plain(sentence) for sentence in sentences(found)), plain(asked.basis))
