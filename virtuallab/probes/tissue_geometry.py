"""Positions of a network's units in space: the map from network to tissue.

The tissue is a cube of 4 mm. Layers lie on top of one another, the first at the surface, all
equally thick. A unit of a feature map lies where its receptive field does: the columns of the map
run along x, its rows along y, and the channels at one place form a column in depth. Units of dense
layers, which have no map, fill their layer evenly in arbitrary order.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

SIDE: Final = 4000.0  # um, across the visual field
DEPTH: Final = 4000.0  # um, from the surface to the bottom of the last layer

MapShape = tuple[int, int, int]  # channels, height, width


def unit_positions(shape: MapShape, layer: int, layers: int) -> jt.Float[np.ndarray, "unit 3"]:
    """x, y and depth of each unit of a layer, in um, in the order of the layer's responses.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the layer's feature map; height and width are 1 where there is no map.
    layer, layers : int
        Index of the layer, counted from 0 at the surface, and number of layers.

    References
    ----------
    Roberts 2018, "The Unreasonable Effectiveness of Quasirandom Sequences": dense layers.
    """
    channels, height, width = shape
    if height == width == 1:
        relative = (0.5 + np.arange(1, channels + 1)[:, None] * np.array(_STEPS)) % 1
    else:
        channel, row, column = np.indices(shape).reshape(3, -1)
        relative = np.stack([column / width, row / height, channel / channels], axis=1)
        relative += 0.5 / np.array([width, height, channels])
    thickness = DEPTH / layers
    found: np.ndarray = relative * [SIDE, SIDE, thickness] + [0, 0, layer * thickness]
    return found


_GOLDEN: Final = 1.2207440846057596  # the real root of x^4 = x + 1
_STEPS: Final = (_GOLDEN**-1, _GOLDEN**-2, _GOLDEN**-3)


def layer_at(depth: jt.Float[np.ndarray, " contact"], layers: int) -> np.ndarray:
    """Index of the layer at each depth in um; -1 above the surface and below the last layer."""
    inside = (depth >= 0) & (depth < DEPTH)
    return np.where(inside, np.floor(depth / (DEPTH / layers)), -1).astype(np.int64)


def neighbourhoods(
    shape: MapShape, size: int, layer: int, layers: int
) -> jt.Int[np.ndarray, "patch member"]:
    """Indices of the units in each patch of ``size`` neighbouring units; a remainder is left out.

    Patches are columns through the layer: in a feature map, a patch holds neighbouring places, and
    all channels of one place before those of the next. ``shape``, ``layer`` and ``layers`` are
    those of :func:`unit_positions`.
    """
    x, y, depth = unit_positions(shape, layer, layers).T
    side = max(1, round(float(np.sqrt(len(x) / size))))  # patches along each axis
    band = np.minimum((y / SIDE * side).astype(np.int64), side - 1)
    order = np.lexsort((depth, y, x, band))
    return order[: len(order) // size * size].reshape(-1, size)


def depth_group(index: int, count: int) -> int:
    """Third of the network in which layer ``index`` of ``count`` lies: 0 early, 1 middle, 2 deep.

    >>> [depth_group(i, 4) for i in range(4)]
    [0, 1, 2, 2]
    """
    return min(index // max(count // 3, 1), 2)
