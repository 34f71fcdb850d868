"""A damaged file of a store, and the message that names it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from virtuallab.errors import MachineError

_SHOWN: Final = 30  # damaged files that one error names


@dataclass(frozen=True)
class Damage:
    """A file of a store that is missing, or differs from what was written.

    Parameters
    ----------
    file : Path
    problem : str
    command : str
        Command that makes the file anew.
    subject : str
        Subject whose values it holds, ``"sub-0004"``; empty if there is no single one.
    """

    file: Path
    problem: str
    command: str
    subject: str = ""

    @classmethod
    def of(cls, file: Path, command: str, subject: str = "") -> Damage:
        """Return the damage of a file: missing, or different from what was written."""
        changed = "is damaged: it is not what was written"
        return cls(file, changed if file.exists() else "is missing", command, subject)

    def __str__(self) -> str:
        """Return one line: the file, its subject, the problem, the command."""
        owner = f" ({self.subject})" if self.subject else ""
        return f"{self.file}{owner} {self.problem}. To make it anew: {self.command}"


def raise_if_damaged(damage: Iterable[Damage], store: Path) -> None:
    """Raise one MachineError that names all damage, if there is any."""
    found = list(damage)
    if not found:
        return
    lines = [str(each) for each in found[:_SHOWN]]
    if len(found) > _SHOWN:
        all_of_them = f"virtuallab status {shlex.quote(str(store))} --verify"
        lines.append(f"and {len(found) - _SHOWN} more; named by: {all_of_them}")
    raise MachineError("\n".join(lines))
