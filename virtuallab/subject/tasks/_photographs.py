"""Photographs that installed libraries bring, and patches of them from separate regions.

A photograph is divided into square blocks, and each block belongs to one part: training, validation
or probe. A patch lies within one block. Patches of one part may overlap; patches of two parts share
no pixel.
"""

from __future__ import annotations

from functools import cache

import jaxtyping as jt
import numpy as np

from virtuallab.subject.tasks._packaged import installed_file

# Photograph -> installed module and path in it; all are in colour.
FILES = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "cat": ("skimage", "data/chelsea.png"),
    "coffee": ("skimage", "data/coffee.png"),
    "rocket": ("skimage", "data/rocket.jpg"),
    "stars": ("skimage", "data/hubble_deep_field.jpg"),
    "glands": ("skimage", "data/ihc.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "palace": ("sklearn", "datasets/images/china.jpg"),
}
_DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}
_SEED = 20200101  # of blocks and patches; fixed, so that all subjects share them
_SHARES = (3, 1, 1)  # of each part in the blocks of a photograph
_BLOCK = 64  # pixels; a larger patch has blocks of twice its side
_LEAST_CONTRAST = 0.02  # standard deviation of grey levels of 0 to 1; uniform patches are left out
_AT_ONCE = 500


@cache
def photograph(name: str, channels: int) -> jt.UInt8[np.ndarray, "channel height width"]:
    """Return a photograph in colour (3 channels) or in grey (1 channel).

    Parameters
    ----------
    name : str
        One of :data:`FILES`.
    channels : int

    Returns
    -------
    array of uint8, (channel, height, width)

    Raises
    ------
    MissingLibrary
        If the library that brings it is not installed.
    """
    from PIL import Image

    library, file = FILES[name]
    purpose = f"to read its photograph {file}"
    with Image.open(installed_file(library, file, _DISTRIBUTIONS[library], purpose)) as image:
        pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels).transpose(2, 0, 1))


def part_of_blocks(name: str, side: int) -> jt.Int[np.ndarray, "row column"]:
    """Return the part (0 training, 1 validation, 2 probe) of each block of a photograph.

    Parameters
    ----------
    name : str
    side : int
        Of the patches, in pixels.

    Returns
    -------
    array of int, (row, column)
    """
    size = block_size(side)
    _, height, width = photograph(name, 1).shape
    rows, columns = height // size, width // size
    pattern = np.repeat(np.arange(len(_SHARES)), _SHARES)
    drawn = np.resize(pattern, rows * columns)
    return _stream(name).permutation(drawn).reshape(rows, columns)


def block_size(side: int) -> int:
    """Return the side of the blocks from which patches of a side are cut, in pixels."""
    return max(_BLOCK, 2 * side)


def corners(name: str, side: int, part: int) -> jt.Int[np.ndarray, "patch 2"]:
    """Row and column of the first pixel of every patch of a part, in random order."""
    size = block_size(side)
    inside = np.stack(np.meshgrid(*[np.arange(size - side + 1)] * 2, indexing="ij"), -1)
    blocks = size * np.argwhere(part_of_blocks(name, side) == part)
    found = (blocks[:, None] + inside.reshape(1, -1, 2)).reshape(-1, 2)
    return _stream(name, part).permutation(found)


def patches(
    name: str, side: int, channels: int, part: int, count: int
) -> jt.UInt8[np.ndarray, "patch channel height width"]:
    """Cut patches from a part of a photograph.

    Parameters
    ----------
    name : str
    side : int
        In pixels.
    channels : int
        3 for colour, 1 for grey.
    part : int
        0 training, 1 validation, 2 probe.
    count : int
        Most patches to cut. Patches of uniform grey are left out.

    Returns
    -------
    array of uint8, (patch, channel, side, side)
    """
    picture, grey = (_windows(photograph(name, each), side) for each in (channels, 1))
    found = [np.empty((0, channels, side, side), dtype=np.uint8)]
    places = corners(name, side, part)
    for start in range(0, len(places), _AT_ONCE):
        if sum(map(len, found)) >= count:
            break
        rows, columns = places[start : start + _AT_ONCE].T
        contrast = grey[rows, columns].std(axis=(1, 2, 3)) / 255
        kept = contrast >= _LEAST_CONTRAST
        found.append(picture[rows[kept], columns[kept]])
    return np.concatenate(found)[:count]


def _windows(picture: np.ndarray, side: int) -> np.ndarray:
    """View of all patches of a photograph, (row, column, channel, side, side)."""
    view = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(1, 2))
    return view.transpose(1, 2, 0, 3, 4)


def _stream(name: str, *further: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, list(FILES).index(name), *further])
