"""Preparations: one subject's responses and weights at its visits, which a probe records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class PreparationLike(Protocol):
    """One subject at its preserved visits.

    Two attributes are optional: ``labels``, an array (stimulus,) with the class of each stimulus,
    and ``maps``, the shape (channels, height, width) of each layer's feature map.

    Attributes
    ----------
    layers : tuple of str
        From input to output.
    responses : mapping from layer to array, (visit, stimulus, unit)
    weights : mapping from layer to array, (visit, synapse)
    inputs : mapping from layer to int
    """

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        ...

    @property
    def responses(self) -> Mapping[str, np.ndarray]:
        """Responses of each layer, (visit, stimulus, unit)."""
        ...

    @property
    def weights(self) -> Mapping[str, np.ndarray]:
        """Weights of each layer, (visit, synapse)."""
        ...

    @property
    def inputs(self) -> Mapping[str, int]:
        """Number of units that drive each layer."""
        ...

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Sum of the derivatives of some units by each input.

        Parameters
        ----------
        layer : str
        units : array of int, (unit,)
            Indices in the layer.

        Returns
        -------
        array, (visit, stimulus, input)
        """
        ...


def stimulus_labels(preparation: PreparationLike) -> np.ndarray | None:
    """Class of each stimulus, (stimulus,); None where classes are unknown."""
    labels: np.ndarray | None = getattr(preparation, "labels", None)
    return labels


def feature_map_shapes(preparation: PreparationLike) -> Mapping[str, tuple[int, int, int]]:
    """Shape (channels, height, width) of each layer's feature map; (units, 1, 1) without maps."""
    maps: Mapping[str, tuple[int, int, int]] | None = getattr(preparation, "maps", None)
    if maps is None:
        responses = preparation.responses
        return {layer: (responses[layer].shape[-1], 1, 1) for layer in preparation.layers}
    return maps


@dataclass(frozen=True)
class Outline:
    """A preparation without values: all that a probe can know of a subject beforehand.

    Parameters
    ----------
    layers : tuple of str
        From input to output.
    units, synapses, inputs : mapping from layer to int
        Sizes of each layer.
    maps : mapping from layer to (channels, height, width)
        Shape of each layer's feature map.
    visits : int
        Number of visits.
    labels : array, (stimulus,)
        Class of each stimulus.
    """

    layers: tuple[str, ...]
    units: Mapping[str, int]
    synapses: Mapping[str, int]
    inputs: Mapping[str, int]
    maps: Mapping[str, tuple[int, int, int]]
    visits: int
    labels: np.ndarray

    @classmethod
    def of(cls, preparation: PreparationLike, visits: int, labels: np.ndarray) -> Outline:
        """Outline of a subject with the architecture of a preparation."""
        return cls(
            layers=preparation.layers,
            units={layer: v.shape[-1] for layer, v in preparation.responses.items()},
            synapses={layer: v.shape[-1] for layer, v in preparation.weights.items()},
            inputs=preparation.inputs,
            maps=feature_map_shapes(preparation),
            visits=visits,
            labels=labels,
        )

    @property
    def responses(self) -> dict[str, np.ndarray]:
        """Zeros that take no memory, (visit, stimulus, unit)."""
        shown = (self.visits, len(self.labels))
        return {n: np.broadcast_to(np.float32(0), (*shown, c)) for n, c in self.units.items()}

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Zeros that take no memory, (visit, synapse)."""
        shown = {n: (self.visits, count) for n, count in self.synapses.items()}
        return {n: np.broadcast_to(np.float32(0), shape) for n, shape in shown.items()}

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Zeros that take no memory, (visit, stimulus, input)."""
        shape = (self.visits, len(self.labels), self.inputs[layer])
        return np.broadcast_to(np.float32(0), shape)


class StaticPreparation:
    """A preparation in which nothing changes: every visit repeats the first.

    Parameters
    ----------
    preparation : PreparationLike
    visits : int
        Number of visits.
    """

    def __init__(self, preparation: PreparationLike, visits: int) -> None:
        self._preparation, self._visits = preparation, visits
        self.layers = preparation.layers
        self.inputs = preparation.inputs
        self.labels = stimulus_labels(preparation)
        self.maps = feature_map_shapes(preparation)
        self.responses = {layer: self._repeat(v) for layer, v in preparation.responses.items()}
        self.weights = {layer: self._repeat(v) for layer, v in preparation.weights.items()}

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Sum over ``units`` of their derivatives by each input: (visit, stimulus, input)."""
        return self._repeat(self._preparation.jacobian(layer, units))

    def _repeat(self, values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values[:1], (self._visits, *values.shape[1:]))
