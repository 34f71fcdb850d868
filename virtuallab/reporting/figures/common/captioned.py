"""Figures of the pages: panels, their text alternatives and one caption."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Panel:
    """One drawing with its text alternative.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        Text alternative, with the numbers of the drawing.
    """

    figure: Figure
    alt: str


@dataclass(frozen=True)
class CaptionedFigure:
    """Panels with one caption.

    Parameters
    ----------
    panels : tuple of Panel
    caption : str
    full_width : bool
        Whether a panel needs the full width of the page.
    """

    panels: tuple[Panel, ...]
    caption: str
    full_width: bool = False
