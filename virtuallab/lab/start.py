"""Begin a protocol of one's own."""

from __future__ import annotations

from pathlib import Path

from virtuallab.errors import UserError
from virtuallab.lab.outputs import write_file
from virtuallab.protocol import STARTER


def write_starter(path: Path) -> None:
    """Write a commented protocol that runs as it stands.

    Raises
    ------
    UserError
        If the file exists (it is left alone) or its folder does not.
    """
    if path.exists() or path.is_symlink():
        raise UserError(f"{path} exists and was left alone. Choose another name.")
    write_file(path, lambda: STARTER)
