"""Gaussian measurement noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.registry import NOISE_MODELS


@NOISE_MODELS.register("gaussian")
@dataclass(frozen=True, kw_only=True)
class GaussianNoise(NoiseModel):
    """Gaussian noise, independent at every measurement."""

    def sample(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        """Independent standard normal numbers; parameters as in the base class."""
        return generator.standard_normal(shape, dtype=np.float32)
