"""Lines of a text that is not valid YAML, with the report of the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from virtuallab.errors import Fault

KEY = re.compile(r"\s*(?:- +)*['\"]?([\w-]+)['\"]?\s*:(?:\s|$)")


class YamlReport:
    """A text that is not valid YAML, with the report of the parser.

    ``problem`` is the parser's problem, at ``line`` and ``column``; ``context`` is the element that
    it was reading, from ``start`` and ``start_column``. All count from 1, and are 0 if not known.

    Parameters
    ----------
    text : str
    file : str
        The file as the user named it.
    error : MarkedYAMLError, optional
    """

    def __init__(self, text: str, file: str, error: MarkedYAMLError | None = None) -> None:
        self._lines = re.split(r"\r\n|\r|\n", text)
        self._file = file
        parts = (getattr(error, name, None) or "" for name in ("problem", "context"))
        self.problem, self.context = (str(each).strip() for each in parts)
        start = getattr(error, "context_mark", None)
        self.line, self.column = _position(getattr(error, "problem_mark", None) or start)
        self.start, self.start_column = _position(start)

    def __getitem__(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def fault(self, number: int, message: str, key: str | None = None) -> Fault:
        """Return a fault of a line, by default with the key on that line."""
        if key is None:
            match = KEY.match(self[number])
            key = match[1] if match else ""
        return Fault(self._file, number, key, message)

    def above(self, number: int) -> Iterator[int]:
        """Yield the numbers of earlier lines, nearest first, without blank ones and comments."""
        for each in range(number - 1, 0, -1):
            if self[each].strip() and not self[each].lstrip().startswith("#"):
                yield each

    def sibling(self, number: int) -> int:
        """Return the nearest earlier line of the same block and indentation, or 0."""
        for each in self.above(number):
            if indent(self[each]) <= indent(self[number]):
                return each if indent(self[each]) == indent(self[number]) else 0
        return 0


def _position(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def indent(line: str) -> int:
    """Return the number of spaces before a line."""
    return len(line) - len(line.lstrip())


def is_entry(line: str) -> bool:
    """Return whether a line begins an entry of a list."""
    return re.match(r"\s*-(\s|$)", line) is not None


def short(text: str) -> str:
    """Return a text without surrounding spaces, cut at 60 characters."""
    text = text.strip()
    return text if len(text) <= 60 else f"{text[:60]}..."


def quoted(text: str) -> str:
    """Return a text, cut like :func:`short`, in the quotes of YAML."""
    return "'" + short(text).replace("'", "''") + "'"
