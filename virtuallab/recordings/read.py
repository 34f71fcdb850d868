"""Reading of a recording from a netCDF file, a zarr folder or NWB files."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import xarray as xr

from virtuallab.errors import UserError
from virtuallab.paths import expanded
from virtuallab.recordings.conversion import (
    select_subject,
    select_variables,
    subject_names,
    to_recording,
)
from virtuallab.recordings.file_access import import_library, reading_file
from virtuallab.recordings.file_search import find_nwb_files, recording_files
from virtuallab.recordings.nwb.session_file import nwb_in_zarr
from virtuallab.recordings.nwb.sessions import read_sessions
from virtuallab.recordings.text import first_few
from virtuallab.vocabulary import ACTIVITY

_NETCDF: Final = (".nc", ".nc4", ".netcdf", ".cdf")
_ZARR: Final = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")
_KNOWN: Final = "a netCDF file (.nc), a zarr folder (.zarr), NWB files (.nwb), or a folder of them"


def read_recording(
    path: str | Path | Sequence[str | Path],
    subject: str | None = None,
    *,
    stimuli_table: str | None = None,
    visits_from: str | None = None,
) -> xr.Dataset:
    """Read a recording into the form of a probe's recordings.

    Repeated presentations are averaged: those along the axis ``trial`` (or ``repeat``) and those
    whose ``stimulus`` has the same name. A presentation that is NaN for all units is treated as
    missing; one that is NaN for some units is left out for these. A response without a presentation
    at one of the visits is missing; features use only responses that were measured at every visit.

    Parameters
    ----------
    path : str or Path, or sequence of str or Path
        A netCDF file or zarr folder with ``activity(visit, stimulus, unit)``, also that of a store,
        ``runs/NAME.zarr/recordings/PROBE/ARCHITECTURE``; a folder of NWB files, or such files, one
        for each visit.
    subject : str, optional
        Name of the subject, if there are several.
    stimuli_table : str, optional
        Of NWB files: the table of intervals that gives the stimulus of each trial; by default
        ``trials``.
    visits_from : str, optional
        Of NWB files: the table of intervals, such as ``epochs``, that marks several visits in one
        file. Rows with the same tags are one visit; without tags each row is one.

    Returns
    -------
    xr.Dataset
        ``activity`` (visit, stimulus, unit) in single precision, with the coordinates ``visit``,
        ``layer``, ``layer_depth``, ``depth_group``, ``n_units`` and ``unit_layer`` of a probe's
        recording; the units of a layer are contiguous. If the file has them: ``step``,
        ``stimulus_label`` (-1 for a stimulus without class) and ``unit_matched``. If responses are
        missing: ``observed`` (stimulus, unit), true if a response was measured at every visit.
        Attributes: ``repeats``, the median number of presentations of a stimulus at a visit; if
        there were repeats, ``snr``, the signal-to-noise ratio of the averages (defined by
        :class:`virtuallab.probes.NoiseModel`; the root of the mean square over layers) and
        ``snr_by_layer``; of NWB files, ``dropped_units``, the number of units that are not in all
        of them; ``missing_responses``, their number, if there are any; ``notes`` on data that were
        left out or matched.

    Raises
    ------
    UserError, MissingLibrary
        If the file cannot be read, is not a recording, or needs a library that is not installed.
    """
    given = [path] if isinstance(path, str | Path) else path
    paths = [each if isinstance(each, Path) else expanded(each) for each in given]
    if not paths:
        raise UserError("no file is named.")
    for one in paths:
        if not one.exists():
            raise UserError(_missing_path_message(one))
    skipped: list[str] = []
    if len(paths) > 1:
        kept, skipped = recording_files(paths)
        paths = kept or paths
    first = paths[0]
    of_nwb = {"stimuli_table": stimuli_table, "visits_from": visits_from}
    if all(one.suffix.lower() == ".nwb" for one in paths):
        source = str(first) if len(paths) == 1 else f"{first}, ..."
        return _read_nwb(paths, source, subject, skipped, of_nwb)
    if len(paths) > 1:
        raise UserError(
            f"{first_few(paths)}: several files are read as visits if all are NWB files. Put other "
            "recordings into one file, along the dim visit."
        )
    if first.is_dir() and not _is_zarr(first):
        files, skipped = find_nwb_files(first)
        if files:
            return _read_nwb(files, str(first), subject, skipped, of_nwb)
        raise UserError(_no_recording_message(first))
    for name, value in of_nwb.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{first}: {option} chooses a table of NWB files; leave it out.")
    if _is_of_arrays(first):
        return _read_arrays(first, subject)
    raise UserError(f"{first}: cannot tell what {first.suffix or 'it'} is. Known: {_KNOWN}.")


def read_subjects(
    path: Path,
    *,
    among: Container[str] | None = None,
    stimuli_table: str | None = None,
    visits_from: str | None = None,
) -> Iterator[tuple[str | None, xr.Dataset]]:
    """Read every subject of a recording; yield its name, if it has one, and its recording.

    Parameters
    ----------
    path : Path
    among : container of str, optional
        Subjects that are read, if they have names; all if not given.
    stimuli_table, visits_from : str, optional
        As for :func:`read_recording`; used for NWB files only.

    Yields
    ------
    (str or None, xr.Dataset)

    Raises
    ------
    UserError, MissingLibrary
        As :func:`read_recording`.
    """
    if not path.exists() or not _is_of_arrays(path):
        yield None, read_recording(path, stimuli_table=stimuli_table, visits_from=visits_from)
        return
    with _opened(path) as dataset:
        names = subject_names(select_variables(dataset, str(path)), str(path))
    for name in names:
        if name is None or among is None or name in among:
            yield name, read_recording(path, name)


def _missing_path_message(path: Path) -> str:
    there = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, there, n=1)
    hint = f" Did you mean {path.parent / near[0]}?" if near else ""
    return f"{path}: there is no such file or folder.{hint}"


def _no_recording_message(folder: Path) -> str:
    there, _ = recording_files(folder.iterdir())
    for path in there:
        if _is_nwb_zarr(path):
            return nwb_in_zarr(path)
    one = [path for path in there if path.suffix.lower() in _NETCDF or _is_zarr(path)]
    if one:
        return f"{folder}: name one of the recordings in this folder: {first_few(one)}."
    inside = f"it holds {first_few([path.name for path in there])}" if there else "it is empty"
    return f"{folder}: no recording is in this folder; {inside}. Known: {_KNOWN}."


def _is_zarr(path: Path) -> bool:
    return path.is_dir() and (
        path.suffix.lower() == ".zarr" or any((path / name).exists() for name in _ZARR)
    )


def _is_nwb_zarr(path: Path) -> bool:
    return path.name.lower().endswith(".nwb.zarr") or (path / ".specloc").exists()


def _check_zarr(path: Path) -> None:
    if _is_nwb_zarr(path):
        raise UserError(nwb_in_zarr(path))
    inside = sorted(path.glob(f"recordings/*/*/{ACTIVITY}"))
    if inside:
        nodes = [str(array.parent.relative_to(path)) for array in inside]
        raise UserError(
            f"{path}: this is a whole experiment. Name one of its recordings: "
            f"{path / nodes[0]}. It has {first_few(nodes)}."
        )


def _read_nwb(
    files: Sequence[Path],
    source: str,
    subject: str | None,
    skipped: Sequence[str],
    options: Mapping[str, str | None],
) -> xr.Dataset:
    dataset, notes = read_sessions(files, source, **options)
    one = select_subject(dataset, subject, source)
    return to_recording(one, source, [*skipped, *notes]).assign_attrs(dataset.attrs)


def _is_of_arrays(path: Path) -> bool:
    """Return whether an existing path is read by xarray: a zarr folder or a netCDF file."""
    return _is_zarr(path) or (not path.is_dir() and path.suffix.lower() in _NETCDF)


def _format(path: Path) -> str:
    return "a zarr folder" if path.is_dir() else "a netCDF file"


def _opened(path: Path) -> xr.Dataset:
    options: dict[str, Any] = {}
    if path.is_dir():
        _check_zarr(path)
        engine, options = "zarr", {"consolidated": False}
    else:
        engine = _netcdf_engine(path)
    with reading_file(path, _format(path)):
        # Units such as seconds, or days since a date, would turn responses and steps into times.
        return xr.open_dataset(
            path, engine=engine, decode_times=False, decode_timedelta=False, **options
        )


def _read_arrays(path: Path, subject: str | None) -> xr.Dataset:
    source = str(path)
    with _opened(path) as dataset:
        one = select_subject(select_variables(dataset, source), subject, source)
        with reading_file(path, _format(path)):
            one.load()
    found = to_recording(one, source)
    if "probe" in one.attrs:  # the design of our own recordings
        found.attrs["probe"] = one.attrs["probe"]
    return found


def _netcdf_engine(path: Path) -> str:
    with reading_file(path, "a netCDF file"), path.open("rb") as file:
        classic = file.read(3) == b"CDF"  # netCDF 3, not 4
    if classic:
        return "scipy"
    for name in ("h5py", "h5netcdf"):
        import_library(name, "to read netCDF files")
    return "h5netcdf"
