"""What can go wrong, said so that the reader knows what to do.

Whoever calls virtuallab can catch two things: a :class:`UserError` (something asked for cannot be
had; exit code 2) and a :class:`MachineError` (the machine failed; exit code 1, and the same command
goes on where it stopped).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


class VirtuallabError(Exception):
    """Base of everything that virtuallab raises on purpose."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle it by its message: constructors take other arguments, and workers send errors."""
        return _raised_elsewhere, (type(self), self.args), self.__dict__


def _raised_elsewhere(kind: type[VirtuallabError], words: tuple[Any, ...]) -> VirtuallabError:
    error = kind.__new__(kind)
    error.args = words
    return error


class UserError(VirtuallabError, ValueError):
    """What was asked for is not possible; the message says what to change."""

    exit_code = 2


class MachineError(VirtuallabError):
    """The machine failed: a full disk, a damaged file. Nothing already stored is lost."""

    exit_code = 1


class MissingLibrary(UserError):
    """A library that is needed here is not installed.

    Parameters
    ----------
    library : str
        Its name, as pip knows it.
    purpose : str
        What it is needed for: ``"to read NWB files"``.
    install : str, optional
        What to pass to ``pip install``; the library itself if not given.
    """

    def __init__(self, library: str, purpose: str, install: str | None = None) -> None:
        self.library = library
        super().__init__(
            f"{library} is not installed; it is needed {purpose}. "
            f'Install it with: pip install "{install or library}"'
        )


class NotAsked(UserError):
    """A question cannot be put to these recordings; the message says why, without a full stop."""


class VirtuallabWarning(UserWarning):
    """Something that works, and that its user should know. Commands show these warnings alone."""


class Interrupted(VirtuallabError):
    """The user stopped a run; what is done is kept."""

    exit_code = 130  # what a shell expects of a program that was interrupted


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong at one place of a file.

    Parameters
    ----------
    file : str
        The file, as the user named it.
    line : int
        Line in it, counted from 1; 0 where the fault belongs to no line.
    path : str
        Place in the document, ``subjects.rules[0].name``; empty for the whole document.
    message : str
        What is wrong, what was found, and what to do.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        """``FILE:LINE: path: message``, leaving out what is not known."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ProtocolError(UserError):
    """A protocol cannot be used. ``faults`` lists every fault found, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class StoreError(UserError):
    """A store is missing, is not one of ours, or belongs to another protocol."""


class UnknownName(UserError):
    """No plug-in has this name. The message carries the nearest one."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(f"no {kind} is called {name!r}. {suggest(name, self.known)}")


class BrokenPlugin(UnknownName):
    """A plug-in of this name is installed, but cannot be used.

    Parameters
    ----------
    kind, name : str
    reason : str
        Where it is from and what is wrong with it.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        self.kind, self.name, self.known = kind, name, ()
        UserError.__init__(self, f"the {kind} {name!r} cannot be used: {reason}")


def suggest(name: str, known: Iterable[str]) -> str:
    """Name the nearest of the known names, if one is near, and list them all.

    >>> suggest("adm", ["adam", "sgd"])
    "Did you mean 'adam'? Known: adam, sgd."
    """
    choices = sorted(known)
    near = get_close_matches(name, choices, n=1) or [
        each for each in choices if each.casefold() == name.casefold()
    ]
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(choices)}."
