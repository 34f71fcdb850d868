"""What a probe can be put into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Tissue(Protocol):
    """One subject at its visits, as far as electrodes reach.

    A tissue may also have ``labels``, an array (stimulus,) with the class of each stimulus; without
    it nothing can be said of how classes are represented. And it may have ``maps``, the shape
    (channels, height, width) of each layer's feature map, in the order of its responses; without
    it a layer has no map, and its units lie in no order.

    Attributes
    ----------
    layers : tuple of str
        From input to output.
    responses : mapping from layer to array, (visit, stimulus, unit)
    weights : mapping from layer to array, (visit, synapse)
    inputs : mapping from layer to int
        Units that drive each layer.
    """

    @property
    def layers(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def responses(self) -> Mapping[str, np.ndarray]: ...  # noqa: D102
    @property
    def weights(self) -> Mapping[str, np.ndarray]: ...  # noqa: D102
    @property
    def inputs(self) -> Mapping[str, int]: ...  # noqa: D102

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Sum over ``units`` of their sensitivity to each input: (visit, stimulus, input)."""
        ...


def labels_of(tissue: Tissue) -> np.ndarray | None:
    """Return the class of each stimulus, where it is known."""
    labels: np.ndarray | None = getattr(tissue, "labels", None)
    return labels


def maps_of(tissue: Tissue) -> Mapping[str, tuple[int, int, int]]:
    """Return the shape (channels, height, width) of each layer's feature map."""
    maps: Mapping[str, tuple[int, int, int]] | None = getattr(tissue, "maps", None)
    if maps is None:
        return {layer: (tissue.responses[layer].shape[-1], 1, 1) for layer in tissue.layers}
    return maps


@dataclass(frozen=True)
class Unchanging:
    """A tissue in which nothing happens: at each of some visits it is as at its first.

    Parameters
    ----------
    tissue : Tissue
        Of one visit.
    visits : int
    """

    tissue: Tissue
    visits: int

    @property
    def layers(self) -> tuple[str, ...]:
        """Layers, from input to output."""
        return self.tissue.layers

    @property
    def responses(self) -> Mapping[str, np.ndarray]:
        """Responses of each layer: (visit, stimulus, unit)."""
        return {layer: self._held(each) for layer, each in self.tissue.responses.items()}

    @property
    def weights(self) -> Mapping[str, np.ndarray]:
        """Weights of each layer: (visit, synapse)."""
        return {layer: self._held(each) for layer, each in self.tissue.weights.items()}

    @property
    def inputs(self) -> Mapping[str, int]:
        """Units that drive each layer."""
        return self.tissue.inputs

    @property
    def labels(self) -> np.ndarray | None:
        """Class of each stimulus, where it is known."""
        return labels_of(self.tissue)

    @property
    def maps(self) -> Mapping[str, tuple[int, int, int]]:
        """Shape of each layer's feature map."""
        return maps_of(self.tissue)

    def jacobian(self, layer: str, units: np.ndarray) -> np.ndarray:
        """Sum over ``units`` of their sensitivity to each input: (visit, stimulus, input)."""
        return self._held(self.tissue.jacobian(layer, units))

    def _held(self, values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values[:1], (self.visits, *values.shape[1:]))
