"""Begin a protocol of one's own."""

from __future__ import annotations

from pathlib import Path

from virtuallab.errors import UserError
from virtuallab.protocol import STARTER, schema
from virtuallab.store.disk import write_text, writing

_SCHEMA = Path("schema") / "protocol.schema.json"  # as the first line of the starter names it


def write_starter(path: Path) -> None:
    """Write a commented protocol that runs as it stands, and the schema it names beside it.

    A schema that is there already is left alone.

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
    beside = path.parent / _SCHEMA
    if not beside.exists():
        with writing(beside):
            beside.parent.mkdir(exist_ok=True)
        write_text(beside, schema.text())
