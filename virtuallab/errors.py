"""Errors of virtuallab, with messages that say what to do.

There are two kinds: a :class:`UserError` (the request is not possible; exit code 2) and a
:class:`MachineError` (the machine failed; exit code 1, and the same command continues where it
stopped).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


class VirtuallabError(Exception):
    """Base class of the errors of virtuallab."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the error by its message, because constructors have other arguments."""
        return _raised_elsewhere, (type(self), self.args), self.__dict__


def _raised_elsewhere(kind: type[VirtuallabError], words: tuple[Any, ...]) -> VirtuallabError:
    error = kind.__new__(kind)
    error.args = words
    return error


class UserError(VirtuallabError, ValueError):
    """Error on a request that is not possible; the message says what to change."""

    exit_code = 2


class MachineError(VirtuallabError):
    """Error of the machine, such as a full disk or a damaged file; stored results are kept."""

    exit_code = 1


class MissingLibrary(UserError):
    """Error on an optional library that is not installed.

    Parameters
    ----------
    library : str
        Name of its distribution.
    purpose : str
        Purpose in the message: ``"to read NWB files"``.
    extra : str, optional
        Extra of virtuallab that installs it, ``"nwb"``; by default it is installed alone.
    """

    def __init__(self, library: str, purpose: str, extra: str | None = None) -> None:
        self.library = library
        how = f"pip install {library}"
        if extra is not None:
            how = f'pip install -c constraints.txt -e ".[{extra}]" (in the folder of virtuallab)'
        super().__init__(
            f"{library} is not installed; it is needed {purpose}. Install it with: {how}"
        )


class NotDecoded(UserError):
    """Error on an analysis that is not possible for some recordings; its text has no full stop."""


class VirtuallabWarning(UserWarning):
    """Warning to users of virtuallab; commands show these warnings only."""


class Interrupted(VirtuallabError):
    """Error that ends a run that the user stopped; finished subjects are kept."""

    exit_code = 130  # by convention of shells


@dataclass(frozen=True, order=True)
class Fault:
    """A fault at one place of a file.

    Parameters
    ----------
    file : str
        The file, as the user named it.
    line : int
        Line in it, counted from 1; 0 if the fault belongs to no line.
    path : str
        Place in the document, ``subjects.rules[0].name``; empty for the whole document.
    message : str
        The fault, the value found, and what to do.
    """

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        """Return ``FILE:LINE: path: message``, without parts that are not known."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ProtocolError(UserError):
    """Error on a protocol that is not valid.

    Attributes
    ----------
    faults : tuple of Fault
        In the order of the file.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class StoreError(UserError):
    """Error on a store that is missing, is not of virtuallab, or belongs to another protocol."""


class UnknownName(UserError):
    """Error on a name that no plug-in has; the message suggests the nearest one."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], forms: Iterable[str] = ()
    ) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        super().__init__(f"no {kind} is called {name!r}. {suggest(name, self.known, forms)}")


class BrokenPlugin(UnknownName):
    """Error on a plug-in that is installed but cannot be used.

    Parameters
    ----------
    kind, name : str
    reason : str
        Its origin and its fault.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        self.kind, self.name, self.known = kind, name, ()
        UserError.__init__(self, f"the {kind} {name!r} cannot be used: {reason}")


def suggest(name: str, known: Iterable[str], forms: Iterable[str] = ()) -> str:
    """Return a sentence with the nearest of the known names, if one is near, and all of them.

    If no name is known, the sentence says so. Forms of names are listed and never the nearest.

    >>> suggest("adm", ["adam", "sgd"])
    "Did you mean 'adam'? Known: adam, sgd."
    """
    choices = sorted(known)
    listed = sorted([*choices, *forms])
    if not listed:
        return "There are none."
    near = get_close_matches(name, choices, n=1) or [
        each for each in choices if each.casefold() == name.casefold()
    ]
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {', '.join(listed)}."
