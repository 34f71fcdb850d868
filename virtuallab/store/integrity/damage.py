"""A damaged file of a store, as it is said to the user."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from virtuallab.errors import MachineError

CHANGED: Final = "is damaged: it is not what was written"
MISSING: Final = "is missing"

_SHOWN: Final = 30  # damaged files that one error names


@dataclass(frozen=True)
class Damage:
    """One file of a store that is not what was written.

    Parameters
    ----------
    file : Path
    found : str
        What is wrong with it: :data:`MISSING`, :data:`CHANGED`.
    remedy : str
        The command that makes it anew.
    subject : str
        Whose values it holds, ``"sub-0004"``; empty if it belongs to no single subject.
    """

    file: Path
    found: str
    remedy: str
    subject: str = ""

    def __str__(self) -> str:
        """One line: the file, whose it is, what is wrong, the command."""
        owner = f" ({self.subject})" if self.subject else ""
        return f"{self.file}{owner} {self.found}. To make it anew: {self.remedy}"


def refuse(damage: Iterable[Damage], store: Path) -> None:
    """Raise one error that names what is damaged; do nothing if nothing is.

    Raises
    ------
    MachineError
    """
    found = list(damage)
    if not found:
        return
    lines = [str(each) for each in found[:_SHOWN]]
    if len(found) > _SHOWN:
        all_of_them = f"virtuallab status {shlex.quote(str(store))} --verify"
        lines.append(f"and {len(found) - _SHOWN} more; named by: {all_of_them}")
    raise MachineError("\n".join(lines))


def what_is_wrong(file: Path) -> str:
    """Return what is wrong with a file that is known to be damaged."""
    return CHANGED if file.exists() else MISSING
