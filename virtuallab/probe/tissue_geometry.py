"""Where the units of a network lie in space: the map from network to tissue.

The tissue is a cube of 4 mm. Layers lie on top of one another, the first at the surface, each as
thick as the others. A unit of a feature map lies where its receptive field does: the columns of the
map run along x, its rows along y, and the channels at one place form a column in depth. Units
without a map, those of dense layers, fill their layer evenly in no order that means anything.
"""

from __future__ import annotations

from typing import Final

import jaxtyping as jt
import numpy as np

SIDE: Final = 4000.0  # um, across the visual field
DEPTH: Final = 4000.0  # um, from the surface to the bottom of the last layer

Map = tuple[int, int, int]  # channels, height, width


def positions(shape: Map, layer: int, layers: int) -> jt.Float[np.ndarray, "unit 3"]:
    """Return x, y and depth of each unit of a layer, in um, units in the order of its responses.

    Parameters
    ----------
    shape : (channels, height, width)
        Of its feature map; height and width are 1 where there is no map.
    layer, layers : int
        Which layer it is, counted from 0 at the surface, and how many there are.

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
    """Return the layer at each depth; -1 above the surface and below the last layer."""
    inside = (depth >= 0) & (depth < DEPTH)
    return np.where(inside, np.floor(depth / (DEPTH / layers)), -1).astype(np.int64)


def neighbourhoods(
    shape: Map, size: int, layer: int, layers: int
) -> jt.Int[np.ndarray, "patch member"]:
    """Divide a layer into patches of ``size`` units that lie side by side; a rest is left out.

    Patches are columns through the layer: of a feature map they hold neighbouring places, and all
    channels of a place before those of the next.
    """
    x, y, depth = positions(shape, layer, layers).T
    side = max(1, round(float(np.sqrt(len(x) / size))))  # patches along each axis
    band = np.minimum((y / SIDE * side).astype(np.int64), side - 1)
    order = np.lexsort((depth, y, x, band))
    return order[: len(order) // size * size].reshape(-1, size)
