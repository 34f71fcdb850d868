"""Images and labels in files of arrays: NumPy .npz, zarr and netCDF."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from virtuallab.text import count_noun

_DIMS = ("image", "channel", "height", "width")
_NETCDF = (".nc", ".nc4", ".netcdf", ".h5", ".hdf5")


def read_arrays(path: Path, stimuli: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the images of a file, and the label of each.

    Parameters
    ----------
    path : Path
        A ``.npz`` file, a zarr folder or a netCDF file.
    stimuli, labels : str
        Names of the arrays.

    Returns
    -------
    stimuli : array of uint8 or float32, (image, channel, height, width)
    labels : array of int or str, (image,)

    Raises
    ------
    ValueError
        With what is wrong in the file and what is expected, without the file's name.
    """
    if path.suffix == ".npz":
        found = _from_npz(path, (stimuli, labels))
    elif path.suffix in _NETCDF or path.is_dir():
        found = _from_xarray(path, (stimuli, labels))
    else:
        raise ValueError(
            f"has the suffix {path.suffix!r}; expected a .npz file, a zarr folder or a netCDF file "
            "(.nc)"
        )
    images = _checked_stimuli(*found[stimuli], name=stimuli)
    names = _checked_labels(found[labels][0], name=labels)
    if len(images) != len(names):
        raise ValueError(
            f"has {len(images)} images in {stimuli!r} and {len(names)} labels in {labels!r}; "
            "expected one label for each image"
        )
    return images, names


Found = Mapping[str, tuple[np.ndarray, tuple[str, ...]]]


def _from_npz(path: Path, names: tuple[str, str]) -> Found:
    if not zipfile.is_zipfile(path):
        raise ValueError("is no .npz file, as np.savez writes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            _need(names, file.files)
            return {name: (file[name], ()) for name in names}
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"cannot be read as .npz: {error}") from None
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        words = "has an array of Python objects; save labels as numbers or as np.array(labels, str)"
        raise ValueError(words) from None


def _from_xarray(path: Path, names: tuple[str, str]) -> Found:
    import xarray as xr

    of_zarr: dict[str, Any] = {"engine": "zarr", "consolidated": False}
    options = of_zarr if path.is_dir() else {"engine": "h5netcdf"}
    try:
        dataset = xr.open_dataset(path, decode_times=False, decode_timedelta=False, **options)
    except Exception as error:  # those of zarr and netCDF differ between versions
        first = (str(error).splitlines() or [type(error).__name__])[0]
        kind = "zarr" if path.is_dir() else "netCDF"
        raise ValueError(f"cannot be read as {kind}: {first}") from None
    with dataset:
        _need(names, [str(name) for name in dataset.variables])
        return {name: (dataset[name].values, tuple(map(str, dataset[name].dims))) for name in names}


def _need(names: tuple[str, str], found: list[str]) -> None:
    for name in names:
        if name not in found:
            there = ", ".join(found) or "none"
            raise ValueError(
                f"has no array {name!r}; expected {' and '.join(names)}, found: {there}. Name the "
                "arrays of images and of labels with stimuli_name and labels_name"
            )


def _checked_stimuli(found: np.ndarray, dims: tuple[str, ...], *, name: str) -> np.ndarray:
    expected = "expected (image, channel, height, width) or (image, height, width)"
    if sorted(dims) in (sorted(_DIMS), sorted((_DIMS[0], *_DIMS[2:]))):
        found = found.transpose([dims.index(dim) for dim in _DIMS if dim in dims])
    if found.ndim == 3:
        found = found[:, None]
    if found.ndim != 4 or not found.size:
        raise ValueError(f"has {name!r} of shape {found.shape}; {expected}")
    if found.shape[3] in (1, 3, 4) and found.shape[1] > 4:
        raise ValueError(
            f"has {name!r} of shape {found.shape}, with the channel last; {expected}. Save "
            f"np.moveaxis({name}, -1, 1)"
        )
    if found.dtype == np.uint8:
        return np.asarray(found)
    if not np.issubdtype(found.dtype, np.floating):
        raise ValueError(f"has {name!r} of type {found.dtype}; expected uint8 or floating point")
    if bad := np.flatnonzero(~np.isfinite(found).all(axis=(1, 2, 3))).tolist():
        more = f" and {count_noun(len(bad) - 1, 'other')}" if len(bad) > 1 else ""
        raise ValueError(
            f"has a value in {name!r} that is NaN or infinite, in image {bad[0]}{more}; expected "
            "finite numbers"
        )
    return found.astype(np.float32)


def _checked_labels(found: np.ndarray, *, name: str) -> np.ndarray:
    if found.ndim != 1:
        raise ValueError(f"has {name!r} of shape {found.shape}; expected (image,)")
    texts = found.dtype.kind in "US" or (
        found.dtype == object and all(isinstance(each, str) for each in found)
    )
    if not (texts or found.dtype.kind in "iub"):
        raise ValueError(f"has {name!r} of type {found.dtype}; expected whole numbers or texts")
    return found.astype(str) if texts else found
