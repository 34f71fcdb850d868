"""A figure and the words that belong to it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Panel:
    """A figure and what it shows, for those who do not see it."""

    figure: Figure
    alt: str


@dataclass(frozen=True)
class Plate:
    """Panels that belong together, under one caption; ``broad`` ones need the page's full width."""

    panels: tuple[Panel, ...]
    caption: str
    broad: bool = False
