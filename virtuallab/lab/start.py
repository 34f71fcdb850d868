"""Begin a protocol of one's own."""

from __future__ import annotations

from pathlib import Path

from virtuallab.errors import UserError
from virtuallab.protocol import STARTER


def write_starter(path: Path) -> None:
    """Write a commented protocol that runs as it stands.

    Raises
    ------
    UserError
        If the file exists (it is left alone) or its folder does not.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(STARTER)
    except FileExistsError:
        raise UserError(f"{path} exists and was left alone. Choose another name.") from None
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path.parent} is not a folder. Make it first.") from None
