"""Places in a protocol, ``("subjects", "rules", 0, "amp")``, and their lines in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from virtuallab.errors import Fault

Place = tuple[str | int, ...]

_PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")


def path_of(place: Place) -> str:
    """Return the path of a place.

    >>> path_of(("subjects", "rules", 0, "name"))
    'subjects.rules[0].name'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def place_of(path: str) -> Place | None:
    """Return the place of a path, or None if the text is no path.

    >>> place_of("subjects.rules[0].amp")
    ('subjects', 'rules', 0, 'amp')
    """
    parts = list(_PART.finditer(path))
    if not parts or "".join(part.group(0) for part in parts) != path:
        return None
    return tuple(int(part[2]) if part[2] else part[1] for part in parts)


def value_at(value: object, place: Place) -> object:
    """Return the part of a document at a place, or None if there is no such place."""
    for part in place:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


@dataclass(frozen=True)
class SourceLines:
    """Text of a protocol, and the line of each of its values.

    Parameters
    ----------
    file : str
        The file as the user named it.
    text : str
        Its text.
    lines : mapping from place to int
        Line of each value, counted from 1.
    overrides : tuple of str
        Settings that replace those of the file, ``"subjects.replicates=2"``.
    overridden : mapping from place to str
        The override that set a value.
    path : Path, optional
        The file; None for a text or for settings that were built in Python.
    """

    file: str = ""
    text: str = ""
    lines: Mapping[Place, int] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    overridden: Mapping[Place, str] = field(default_factory=dict)
    path: Path | None = None

    def line(self, place: Place) -> int:
        """Return the line of a place, or of its nearest section; 0 in an empty document."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return 0

    def as_written(self, place: Place) -> Place:
        """Return a place without the index of an entry that is written without a list."""
        found: Place = ()
        for part in place:
            given = self.overridden.get(found)
            is_one = isinstance(part, int) and (
                found in self.lines and (*found, part) not in self.lines
                if given is None
                else not given.partition("=")[2].lstrip().startswith("[")
            )
            found = found if is_one else (*found, part)
        return found

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault at a place, with its line or the override that set the value."""
        place = self.as_written(place)
        for end in range(len(place), 0, -1):
            if place[:end] in self.overridden:
                return Fault(f"-s {self.overridden[place[:end]]}", 0, path_of(place), message)
        for at, override in self.overridden.items():
            if at[: len(place)] == place and place not in self.lines:  # a section of overrides only
                return Fault(f"-s {override}", 0, path_of(place), message)
        return Fault(self.file, self.line(place), path_of(place), message)
