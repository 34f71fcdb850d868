"""A preparation with feature maps, to insert devices into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tests.probes.rat import stream
from virtuallab.probes import Probe

MAPS = {"conv1": (6, 8, 8), "conv2": (8, 8, 8), "conv3": (16, 4, 4), "fc": (120, 1, 1)}


SIZES = {layer: int(np.prod(shape)) for layer, shape in MAPS.items()}


SYNAPSES = dict.fromkeys(MAPS, 500)


@dataclass
class Cat:
    """A tissue with maps, in which each unit responds with its own index, more at each visit."""

    layers: tuple[str, ...] = tuple(MAPS)
    visits: int = 3

    @property
    def maps(self):
        return MAPS

    @property
    def responses(self):
        grown = np.arange(1, self.visits + 1)[:, None, None]
        return {
            n: (grown * np.broadcast_to(np.arange(size), (self.visits, 5, size))).astype(np.float32)
            for n, size in SIZES.items()
        }

    @property
    def weights(self):
        return {n: np.ones((self.visits, 500), np.float32) for n in MAPS}

    @property
    def inputs(self):
        return dict.fromkeys(MAPS, 10)

    def jacobian(self, layer, units):
        raise AssertionError("no device measures the activity change")


def recorded(probe: Probe, seed: int = 1) -> xr.Dataset:
    calibration = probe.calibrate(Cat(), stream(9))
    return probe.implant(Cat(), stream(seed)).record(Cat(), stream(2), calibration)
