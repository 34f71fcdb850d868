"""Output of commands: a console, and tables for terminals of any width.

Names, questions and labels are untrusted text. Here they are made safe to print and are not parsed
as rich's markup, so no other module makes a rich ``Text``, ``Table`` or ``Console``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from virtuallab.text import printable

_UNLIMITED = 10_000  # columns of a pipe or a file
FOLDED_WIDTH = 15  # columns of a folded name that is still readable


def terminal_console() -> Console:
    """Return a console on standard output, without markup, emoji codes and highlighting.

    Its width is not limited if standard output is not a terminal.
    """
    is_terminal = sys.stdout.isatty()
    return Console(
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not is_terminal,
        width=None if is_terminal or os.environ.get("COLUMNS") else _UNLIMITED,
    )


def plain(text: object, style: str = "") -> Text:
    """Return text without markup, with control characters made visible."""
    return Text(printable(str(text)), style)


def say(console: Console, text: object) -> None:
    """Print lines of plain text."""
    console.print(plain(text))


def terminal_table(
    title: str | None = None, caption: str | None = None, *, header: bool = True
) -> TerminalTable:
    """Return an empty table for the terminal.

    Parameters
    ----------
    title, caption : str, optional
        Lines above and below. They are wrapped by the terminal, not by the table.
    header : bool
        True to show the names of the columns.
    """
    table = TerminalTable(show_header=header, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.above = None if title is None else plain(title, "bold")
    table.below = None if caption is None else plain(caption, "dim italic")
    return table


class TerminalTable(Table):
    """A table that does not break words in a terminal of any width.

    If cells do not fit side by side, they are wrapped between words; if that does not fit either,
    each row is printed as a list of its cells. Words are broken only in a column with
    ``overflow="fold"``, into pieces of at least 15 characters.
    """

    above: Text | None = None
    below: Text | None = None

    def add_column(self, header: object = "", *arguments: Any, **options: Any) -> None:
        """Add a column; its header is plain text."""
        super().add_column(plain(header), *arguments, **options)

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row; cells that are text are plain text."""
        shown = (plain(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*shown, **options)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        """Yield the table with fitting widths of columns, or one block for each row."""
        if self.above is not None:
            yield self.above
        yield from self._body(console, options)
        if self.below is not None:
            yield self.below

    def _body(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType | Segment]:
        measured = [self._span(column, console, options) for column in self.columns]
        # An edge, then of each column a space on either side.
        room = options.max_width - 1 - 2 * len(self.columns)
        if sum(least for least, _ in measured) > room:
            yield from self._stacked()
            return
        for column, width in zip(self.columns, _shared(measured, room), strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _span(self, column: Column, console: Console, options: ConsoleOptions) -> tuple[int, int]:
        """Return the least and the preferred width of a column."""
        cells = [column.header, *column.cells] if self.show_header else [*column.cells]
        wide = options.update(max_width=_UNLIMITED)
        spans = [Measurement.get(console, wide, cell) for cell in cells]
        most = max((span.maximum for span in spans), default=0)
        least = most if column.no_wrap else max((span.minimum for span in spans), default=0)
        least = min(least, FOLDED_WIDTH) if column.overflow == "fold" else least
        least = max(least, column.min_width or 0)
        return least, max(most, least)

    def _stacked(self) -> Iterator[RenderableType]:
        """Yield each row as a block: its first cell, and below it the others with their headers."""
        columns = [[_text(cell) for cell in column.cells] for column in self.columns]
        headers = [_text(column.header) if self.show_header else Text() for column in self.columns]
        width = max((header.cell_len for header in headers[1:]), default=0)
        first = Text()
        for row, cells in zip(self.rows, zip(*columns, strict=True), strict=True):
            first = cells[0] if cells[0].plain else first
            yield Text.assemble(first, style=str(row.style or "bold"))
            for header, cell in zip(headers[1:], cells[1:], strict=True):
                if not cell.plain:
                    continue
                block = Table.grid(padding=(0, 2, 0, 0))
                block.add_column(width=width + 2 if width else 0, no_wrap=True)
                block.add_column(overflow="fold")
                block.add_row(Text("  ") + header, cell)
                yield block


def _text(cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else plain(cell)


def _shared(spans: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Return the widths of columns: their least, and equal shares of the rest that they can use."""
    widths = [least for least, _ in spans]
    spare = room - sum(widths)
    # In the order of what columns can use, so that the others share what remains.
    order = sorted(range(len(spans)), key=lambda place: spans[place][1] - spans[place][0])
    for done, place in enumerate(order):
        least, most = spans[place]
        given = min(most - least, spare // (len(order) - done))
        widths[place] += given
        spare -= given
    return widths
