"""Begin a protocol of one's own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from virtuallab.lab import schema
from virtuallab.lab.services.output_files import check_absent, write_file
from virtuallab.protocol import STARTER
from virtuallab.store.files.atomic_write import write_text, writing

_SCHEMA = Path("schema") / "protocol.schema.json"  # as the first line of the starter names it


def write_starter(path: Path) -> None:
    """Write a commented protocol that runs as it stands, and the schema it names beside it.

    A schema that is there already is left alone.

    Raises
    ------
    UserError
        If the file exists (it is left alone) or its folder does not.
    """
    check_absent(path)
    write_file(path, lambda: STARTER.read_text(encoding="utf-8"))
    beside = path.parent / _SCHEMA
    if beside.exists():
        return
    has_folder = beside.parent.exists()
    try:
        with writing(beside, resumable=False):
            beside.parent.mkdir(exist_ok=True)
            write_text(beside, schema.text())
    except BaseException:
        path.unlink(missing_ok=True)  # else the same command would refuse to replace it
        if not has_folder:
            with suppress(OSError):
                beside.parent.rmdir()
        raise
