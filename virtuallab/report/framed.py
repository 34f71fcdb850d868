"""The frame that every table in the terminal has."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table


def framed(title: str, caption: str | None = None) -> Table:
    """Begin a table of the terminal: title and caption on the left, a line below the header."""
    return Table(
        title=title,
        caption=caption,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
