"""Figures as PNG files and as elements of a page, reproducible to the byte."""

from __future__ import annotations

import re
from io import BytesIO, StringIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from virtuallab.reporting.style import INK, theme
from virtuallab.text import printable


def png(figure: Figure, *, dpi: int = 200) -> bytes:
    """Return a figure as a PNG image on white."""
    with theme():
        page = BytesIO()
        canvas = FigureCanvasAgg(figure)
        canvas.print_figure(page, format="png", dpi=dpi, facecolor="white", metadata=_UNSIGNED)
    return page.getvalue()


def inline_svg(figure: Figure, name: str, alt: str) -> str:
    """Figure as an ``<svg>`` element of an HTML page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Prefix of the ids inside the figure, unique in the page.
    alt : str
        Text alternative.

    Returns
    -------
    str
        Without XML header; axes and text have the text colour of the page.
    """
    with theme():
        page = StringIO()
        canvas = FigureCanvasSVG(figure)
        canvas.print_figure(page, format="svg", facecolor="none", metadata=_UNDATED)
    text = printable(_trimmed(page.getvalue()))
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace(INK, "currentColor")
    width, height = figure.get_size_inches() * 96  # CSS pixels
    head = (
        f'<svg role="img" aria-label="{_attribute(alt)}" viewBox="\\1" '
        f'width="{width:.0f}" height="{height:.0f}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', head, text, count=1)


_UNDATED = {"Date": None, "Creator": None}
_UNSIGNED = {"Software": None}


def _trimmed(text: str) -> str:
    """SVG without its metadata block and without spaces at line ends."""
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r"[ \t]+\n", "\n", text)


def _attribute(text: str) -> str:
    escaped = printable(text).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return escaped.replace("\\", "&#92;")
