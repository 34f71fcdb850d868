"""Opening of the NWB files of a recording, with a check that they belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from virtuallab.errors import UserError
from virtuallab.recordings.file_access import import_library, reading_file
from virtuallab.recordings.nwb.table import KIND
from virtuallab.recordings.text import as_text, first_few


@dataclass(frozen=True)
class SessionFile:
    """An open NWB file.

    Parameters
    ----------
    file : Path
    contents : pynwb.NWBFile
    start : datetime
        Start of the session; in UTC if the file names no time zone.
    zoned : bool
        Whether the file names a time zone.
    """

    file: Path
    contents: Any
    start: datetime
    zoned: bool


@contextmanager
def open_sessions(files: Sequence[Path], source: str) -> Iterator[list[SessionFile]]:
    """Yield open NWB files, in the order of their session start times.

    Raises
    ------
    UserError, MissingLibrary
        If one cannot be read, or they have several subjects or equal start times; if pynwb or h5py
        is not installed.
    """
    with ExitStack() as stack:
        opened = sorted(
            (stack.enter_context(_open(file)) for file in files), key=lambda one: one.start
        )
        named = [one.contents.subject for one in opened if one.contents.subject is not None]
        subjects = sorted({str(one.subject_id) for one in named if one.subject_id is not None})
        if len(subjects) > 1:
            raise UserError(
                f"{source}: the files are of {len(subjects)} subjects, {first_few(subjects)}. Read "
                "one subject at a time."
            )
        for before, after in pairwise(opened):
            if before.start == after.start:
                raise UserError(
                    f"{before.file} and {after.file.name} have the same session_start_time, "
                    f"{before.start}. Leave out the copy, or set the time right."
                )
        yield opened


def time_zone_note(opened: Sequence[SessionFile]) -> Iterator[str]:
    """Yield a note if the order of visits may depend on missing time zones."""
    unknown = [one.file.name for one in opened if not one.zoned]
    if unknown and len(unknown) < len(opened):
        yield (
            f"session_start_time of {first_few(unknown)} names no time zone and was taken as UTC, "
            "unlike that of the other files. Check the order of the visits."
        )


def nwb_in_zarr(path: Path) -> str:
    """Return the error message on an NWB file in a zarr folder."""
    return (
        f"{path}: is an NWB file in a zarr folder, which is not read here. Export it to HDF5 with "
        "pynwb and hdmf-zarr: NWBHDF5IO(FILE, 'w').export(src_io=NWBZarrIO(FOLDER, 'r'))."
    )


@contextmanager
def _open(file: Path) -> Iterator[SessionFile]:
    if file.is_dir():
        raise UserError(nwb_in_zarr(file))
    pynwb = import_library("pynwb", "to read NWB files", "nwb")
    h5py = import_library("h5py", "to read NWB files")
    with ExitStack() as stack:
        with reading_file(file, KIND):
            stored = stack.enter_context(h5py.File(file, "r"))
            io = stack.enter_context(pynwb.NWBHDF5IO(file=stored, mode="r"))
            contents = io.read()
            written = stored["session_start_time"][()]
        try:  # from the file itself: pynwb adds the machine's own time zone
            start = datetime.fromisoformat(as_text([written])[0])
        except ValueError:
            start = contents.session_start_time
        zoned = start.tzinfo is not None
        yield SessionFile(file, contents, start if zoned else start.replace(tzinfo=UTC), zoned)
