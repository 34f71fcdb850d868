"""Read a recording from whatever kind of file it is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import xarray as xr

from virtuallab.errors import UserError
from virtuallab.intake.labelled import labelled, of_subject, wanted
from virtuallab.intake.nwb import sessions
from virtuallab.intake.words import few
from virtuallab.vocabulary import ACTIVITY

_NETCDF: Final = (".nc", ".nc4", ".netcdf", ".cdf")
_ZARR: Final = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")
_KNOWN: Final = (
    "a netCDF file (.nc), a zarr folder (.zarr), NWB files (.nwb) of one visit each, or a folder "
    "of them"
)


def read_recording(path: Path | Sequence[Path], subject: str | None = None) -> xr.Dataset:
    """Read a recording that was made elsewhere, into the form in which a probe records.

    Repeated presentations are averaged: those along the axis ``trial`` (or ``repeat``) and those
    whose ``stimulus`` has the same name. A presentation that is NaN in every unit was not held.

    Parameters
    ----------
    path : Path or sequence of Path
        A netCDF file or zarr folder with ``activity(visit, stimulus, unit)``, also one of an
        experiment, ``runs/NAME.zarr/recordings/PROBE/ARCHITECTURE``; a folder of NWB files, or
        such files, one for each visit.
    subject : str, optional
        Which one, where there are many.

    Returns
    -------
    xr.Dataset
        ``activity`` (visit, stimulus, unit) in single precision, with ``visit``, ``layer``,
        ``layer_depth``, ``depth_group``, ``n_units`` and ``unit_layer`` as a probe gives them, the
        units of a layer together; ``step``, ``stimulus_label`` and ``unit_matched`` if the file has
        them. Attributes: ``repeats``, presentations of a stimulus at a visit; if that is known
        from repeats, ``snr``, the signal-to-noise ratio of the averages (as of
        :class:`virtuallab.probe.Noise`; the root of the mean square over layers) and
        ``snr_by_layer``; of NWB files, ``dropped_units``, those that were not in all of them.

    Raises
    ------
    UserError
        If it cannot be read, or cannot be a recording; the message says why and what to do.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if not paths:
        raise UserError("no file is named.")
    for one in paths:
        if not one.exists():
            raise UserError(_no_such(one))
    first = paths[0]
    if all(one.suffix.lower() == ".nwb" and one.is_file() for one in paths):
        return _of_sessions(paths, str(first) if len(paths) == 1 else f"{first}, ...", subject)
    if len(paths) > 1:
        raise UserError(
            f"{few(paths)}: several files are read as visits if all are NWB files. Put other "
            "recordings into one file, along the dim visit."
        )
    if first.is_dir():
        return _of_folder(first, subject)
    if first.suffix.lower() in _NETCDF:
        return _of_arrays(first, _netcdf_engine(first), "a netCDF file", subject)
    raise UserError(f"{first}: cannot tell what {first.suffix or 'it'} is. Known: {_KNOWN}.")


def _no_such(path: Path) -> str:
    there = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, there, n=1)
    hint = f" Did you mean {path.parent / near[0]}?" if near else ""
    return f"{path}: there is no such file or folder.{hint}"


def _of_folder(path: Path, subject: str | None) -> xr.Dataset:
    if path.suffix == ".zarr" or any((path / name).exists() for name in _ZARR):
        inside = sorted(path.glob(f"recordings/*/*/{ACTIVITY}"))
        if inside:
            nodes = [str(array.parent.relative_to(path)) for array in inside]
            raise UserError(
                f"{path}: this is a whole experiment. Name one of its recordings: "
                f"{path / nodes[0]}. It has {few(nodes)}."
            )
        return _of_arrays(path, "zarr", "a zarr folder", subject, consolidated=False)
    files = sorted(path.glob("*.nwb"))
    if files:
        return _of_sessions(files, str(path), subject)
    there = few(sorted(other.name for other in path.iterdir())) or "nothing"
    raise UserError(f"{path}: found no recording in this folder, but {there}. Known: {_KNOWN}.")


def _of_sessions(files: Sequence[Path], source: str, subject: str | None) -> xr.Dataset:
    dataset = of_subject(sessions(files, source), subject, source)
    return labelled(dataset, source).assign_attrs(dataset.attrs)


def _of_arrays(
    path: Path, engine: str, kind: str, subject: str | None, **options: Any
) -> xr.Dataset:
    source = str(path)
    with _reading(path, kind):
        # A unit of measurement such as seconds would turn responses into durations.
        dataset = xr.open_dataset(path, engine=engine, decode_timedelta=False, **options)
    with dataset:
        one = of_subject(wanted(dataset, source), subject, source)
        with _reading(path, kind):
            one.load()
    return labelled(one, source)


def _netcdf_engine(path: Path) -> str:
    with path.open("rb") as file:
        return "scipy" if file.read(3) == b"CDF" else "h5netcdf"  # netCDF 3 and 4


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Say plainly what a library cannot read. What it raises depends on where a file is damaged."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        said = str(error).strip().splitlines()
        raise UserError(
            f"{path}: cannot be read as {kind}; it is damaged, or something else "
            f"({said[0] if said else type(error).__name__}). Copy or write it again."
        ) from None
