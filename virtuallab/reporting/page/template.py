"""Fills in the templates of the pages."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from virtuallab.reporting.figures.common.captioned import Panel
from virtuallab.reporting.render import inline_svg
from virtuallab.reporting.style import pretty
from virtuallab.text import printable


def render(template: str, **values: object) -> str:
    """Fill in a template.

    Parameters
    ----------
    template : str
        Name of a file in ``templates``.
    **values : object
        What the template names.

    Returns
    -------
    str
        An HTML document.
    """
    return _environment().get_template(template).render(**values)


def verbatim(text: str) -> Markup:
    """Text that is shown as it is, but for control characters."""
    return Markup.escape(printable(text))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("virtuallab.reporting.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["pretty"] = pretty
    environment.globals["drawing"] = _drawing
    return environment


def _shown(value: object) -> object:
    """Text without control characters, which no page may hold, and with numbers beside their %."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return re.sub(r"(?<=\d) %", "\u00a0%", printable(value))
    return value


def _drawing(panel: Panel, name: str) -> Markup:
    return Markup(inline_svg(panel.figure, name, panel.alt))  # the alt text is escaped there
