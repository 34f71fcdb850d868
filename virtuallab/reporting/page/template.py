"""Rendering of the templates of the pages."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from virtuallab.reporting.figures.common.captioned import Panel
from virtuallab.reporting.render import inline_svg
from virtuallab.reporting.results.controls import explain_kinds
from virtuallab.reporting.style import pretty
from virtuallab.text import count_noun, part_of, printable


def render(template: str, **values: object) -> str:
    """HTML document from a template, a file in ``templates``, and the values that it names."""
    return _environment().get_template(template).render(**values)


def verbatim(text: str) -> Markup:
    """Text that is shown unchanged, except for control characters."""
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
    environment.globals |= {
        "drawing": _drawing,
        "explain_kinds": explain_kinds,
        "count_noun": count_noun,
        "part_of": part_of,
    }
    return environment


def _shown(value: object) -> object:
    """Text without control characters, and with a no-break space between number and %."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return re.sub(r"(?<=\d) %", "\u00a0%", printable(value))
    return value


def _drawing(panel: Panel, name: str) -> Markup:
    return Markup(inline_svg(panel.figure, name, panel.alt))  # the alt text is escaped there
