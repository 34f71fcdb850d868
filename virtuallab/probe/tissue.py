"""What a probe can be put into."""

from __future__ import annotations

from collections.abc import Mapping
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
