"""The lines of a text that is no YAML, and what the parser says about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

from virtuallab.errors import Fault

KEY = re.compile(r"\s*(?:- +)*['\"]?([\w-]+)['\"]?\s*:(?:\s|$)")


class YamlReport:
    """A text that is no YAML, and what the parser says about it.

    ``problem`` is what it cannot read, at ``line`` and ``column``; ``context`` what it was reading,
    from ``start`` and ``start_column``. All count from 1, and are 0 where they are not known.

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
        said = (getattr(error, name, None) or "" for name in ("problem", "context"))
        self.problem, self.context = (str(each).strip() for each in said)
        start = getattr(error, "context_mark", None)
        self.line, self.column = _position(getattr(error, "problem_mark", None) or start)
        self.start, self.start_column = _position(start)

    def __getitem__(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def fault(self, number: int, message: str, key: str | None = None) -> Fault:
        """Return a fault of a line, by default under the key that stands on it."""
        if key is None:
            match = KEY.match(self[number])
            key = match[1] if match else ""
        return Fault(self._file, number, key, message)

    def above(self, number: int) -> Iterator[int]:
        """Yield numbers of the lines before one that hold more than a comment, nearest first."""
        for each in range(number - 1, 0, -1):
            if self[each].strip() and not self[each].lstrip().startswith("#"):
                yield each

    def sibling(self, number: int) -> int:
        """Nearest line above with the same indentation and nothing less indented between, or 0."""
        for each in self.above(number):
            if indent(self[each]) <= indent(self[number]):
                return each if indent(self[each]) == indent(self[number]) else 0
        return 0


def _position(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def indent(line: str) -> int:
    """Number of spaces before a line."""
    return len(line) - len(line.lstrip())


def is_entry(line: str) -> bool:
    """Whether a line begins an entry of a list."""
    return re.match(r"\s*-(\s|$)", line) is not None


def short(text: str) -> str:
    """Text without surrounding spaces, cut at 60 characters."""
    text = text.strip()
    return text if len(text) <= 60 else f"{text[:60]}..."


def quoted(text: str) -> str:
    """Text, cut like :func:`short`, in the quotes of YAML."""
    return "'" + short(text).replace("'", "''") + "'"
