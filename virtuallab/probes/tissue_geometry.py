"""Positions of a network's units in space: the map from network to tissue.

The tissue is a cube of 4 mm. Layers lie on top of one another, the first at the surface, all
equally thick. A unit of a feature map lies where its receptive field does: the columns of the map
run along x, its rows along y, and the channels at one place form a column in depth. Units of dense
layers, which have no map, fill their layer evenly in arbitrary order.

A layer has far fewer units than such a tissue has neurons. :class:`TissueLayer` therefore fills the
layer with neurons at the density of a mouse cortex; each responds as one of the units whose
receptive field is at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import jaxtyping as jt
import numpy as np

SIDE: Final = 4000.0  # um, across the visual field
DEPTH: Final = 4000.0  # um, from the surface to the bottom of the last layer

SPACING: Final = SIDE / 180  # um, between neurons: 91,125 neurons in a mm^3
NEAREST: Final = 20.0  # um: no point of the tissue is farther from the nearest neuron
FARTHEST: Final = 200.0  # um: spikes are detected up to about 140 um (Buzsaki 2004)

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


@dataclass(frozen=True)
class TissueLayer:
    """Neurons of one layer, each of which responds as one unit of the network.

    The layer is divided into cubes of 22.2 um (flatter, where a layer's thickness is no multiple of
    this), with a neuron in the centre of each: 91,125 in a mm^3. Braitenberg and Schuez (1998)
    counted about 90,000 in the mouse; densities published for areas and layers differ by a factor
    of about three. The neurons at one place of a feature map share its receptive field, and their
    channels are intermixed at random, as tuning is in the visual cortex of rodents. In a dense
    layer all units are intermixed everywhere.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the layer's feature map.
    layer, layers : int
        Index of the layer, counted from 0 at the surface, and number of layers.
    key : int
        Determines which neuron has which channel; differs between subjects.

    References
    ----------
    Braitenberg and Schuez 1998, "Cortex: Statistics and Geometry of Neuronal Connectivity".
    Keller, Eroe and Markram 2018, "Cell Densities in the Mouse Brain: A Systematic Review".
    Ohki et al. 2005, "Functional imaging with cellular resolution reveals precise
    micro-architecture in visual cortex": intermixed tuning in the rat.
    """

    shape: MapShape
    layer: int
    layers: int
    key: int

    @property
    def top(self) -> float:
        """Depth at which the layer begins, in um."""
        return self.layer * DEPTH / self.layers

    @property
    def bottom(self) -> float:
        """Depth at which the layer ends, in um."""
        return (self.layer + 1) * DEPTH / self.layers

    @cached_property
    def grid(self) -> jt.Int[np.ndarray, " 3"]:
        """Number of neurons along x, y and depth."""
        across = round(SIDE / SPACING)
        return np.array([across, across, int(np.ceil(DEPTH / self.layers / SPACING - 1e-9))])

    @property
    def cell(self) -> jt.Float[np.ndarray, " 3"]:
        """Distance between neurons along x, y and depth, in um."""
        found: np.ndarray = np.array([SIDE, SIDE, DEPTH / self.layers]) / self.grid
        return found

    def around(
        self, points: jt.Float[np.ndarray, "point 3"], radius: float
    ) -> tuple[jt.Int[np.ndarray, "point near"], jt.Bool[np.ndarray, "point near"]]:
        """Neurons near each point, and whether they lie within a radius of it.

        Parameters
        ----------
        points : array, (point, 3)
            In the layer, in um.
        radius : float
            In um.

        Returns
        -------
        neurons : array of int, (point, near)
        within : array of bool, (point, near)
        """
        reach = np.ceil(radius / self.cell).astype(np.int64)
        steps = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach)), axis=-1)
        corner = np.array([0, 0, self.top])
        index = np.floor((points - corner) / self.cell).astype(np.int64)
        cells = index[:, None] + steps.reshape(-1, 3)
        inside = ((cells >= 0) & (cells < self.grid)).all(-1)
        neurons = np.ravel_multi_index(
            tuple(np.moveaxis(np.clip(cells, 0, self.grid - 1), -1, 0)), tuple(self.grid)
        )
        distance = np.linalg.norm(self.positions(neurons) - points[:, None], axis=-1)
        return neurons, inside & (distance <= radius)

    def positions(self, neurons: jt.Int[np.ndarray, "*_"]) -> jt.Float[np.ndarray, "*_ 3"]:
        """x, y and depth of neurons, in um."""
        cells = np.stack(np.unravel_index(neurons, tuple(self.grid)), axis=-1)
        found: np.ndarray = (cells + 0.5) * self.cell + np.array([0, 0, self.top])
        return found

    def units(self, neurons: jt.Int[np.ndarray, "*_"]) -> jt.Int[np.ndarray, "*_"]:
        """Unit as which each neuron responds."""
        channels, height, width = self.shape
        where = self.positions(neurons)
        column = (where[..., 0] / SIDE * width).astype(np.int64)
        row = (where[..., 1] / SIDE * height).astype(np.int64)
        channel = (_scrambled(neurons, self.key) % np.uint64(channels)).astype(np.int64)
        found: np.ndarray = (channel * height + row) * width + column
        return found


def neurons_within(radius: float) -> float:
    """Number of neurons within a radius in um of a point of the tissue, on average.

    >>> round(neurons_within(50))
    48
    """
    return float(4 / 3 * np.pi * (radius / SPACING) ** 3)


def _scrambled(numbers: np.ndarray, key: int) -> np.ndarray:
    """Pseudorandom integers that depend on a number and a key alone (SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))


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
