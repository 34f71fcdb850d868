"""Synthetic preparations with feature maps and a few visits, in which probes are implanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.probes.preparation import StaticPreparation

MAPS = {"conv1": (6, 8, 8), "conv2": (12, 8, 8), "fc3": (160, 1, 1)}
"""Shape (channels, height, width) of each layer's feature map."""
VISITS, STIMULI, SYNAPSES = 4, 12, 2000
UNITS = {layer: int(np.prod(shape)) for layer, shape in MAPS.items()}


@dataclass(frozen=True)
class PlantedPreparation:
    """A preparation whose responses and weights are random and grow from visit to visit."""

    layers: tuple[str, ...]
    responses: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    inputs: dict[str, int]
    labels: np.ndarray
    maps: dict[str, tuple[int, int, int]]

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Sum of the derivatives of some units by each input: (visit, stimulus, input)."""
        share = self.weights[layer][:, None, : self.inputs[layer]] * len(units)
        return np.broadcast_to(share, (VISITS, STIMULI, self.inputs[layer]))


def planted_preparation(seed: int = 0) -> PlantedPreparation:
    """A preparation with rectified responses, whose scale about doubles over the visits."""
    stream = np.random.default_rng(seed)
    growth = np.linspace(1, 2, VISITS)

    def changing(*shape: int) -> np.ndarray:
        steps = stream.standard_normal((VISITS, *shape))
        steps[1:] *= 0.3
        grown = steps.cumsum(0) * growth.reshape(-1, *[1] * len(shape))
        return grown.astype(np.float32)

    return PlantedPreparation(
        layers=tuple(MAPS),
        responses={layer: np.maximum(changing(STIMULI, n), 0) for layer, n in UNITS.items()},
        weights={layer: changing(SYNAPSES) for layer in MAPS},
        inputs=dict.fromkeys(MAPS, 20),
        labels=np.arange(STIMULI) % 3,
        maps=dict(MAPS),
    )


def signal_removed(seed: int = 1) -> StaticPreparation:
    """A preparation in which nothing changes, as the control without signal records it."""
    return StaticPreparation(planted_preparation(seed), VISITS)
