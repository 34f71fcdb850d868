"""Random draws of units, synapses and stimuli, and their division over layers."""

from __future__ import annotations

from collections.abc import Mapping

import jaxtyping as jt
import numpy as np


def proportional_shares(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a number of units over layers in proportion to their sizes.

    The largest remainders get the units that are left over. The result depends on the sizes alone,
    so all subjects of one architecture have the same number in each layer.

    >>> proportional_shares({"conv1": 90, "fc2": 10}, 20)
    {'conv1': 18, 'fc2': 2}
    """
    everything = sum(sizes.values())
    given = {layer: size * total // everything for layer, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda layer: (-(sizes[layer] * total % everything), layer))
    for layer in by_remainder[: total - sum(given.values())]:
        given[layer] += 1
    return given


def even_shares(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a number of units over layers evenly; a layer that has fewer gives all it has.

    Units that are left over go to the first layers.

    >>> even_shares({"conv1": 90, "conv2": 90, "fc3": 10}, 51)
    {'conv1': 21, 'conv2': 20, 'fc3': 10}
    """
    given = dict.fromkeys(sizes, 0)
    left, open_layers = total, sorted(sizes, key=sizes.__getitem__)
    while open_layers and sizes[open_layers[0]] * len(open_layers) <= left:
        smallest = open_layers.pop(0)
        given[smallest] = sizes[smallest]
        left -= sizes[smallest]
    for place, layer in enumerate(name for name in sizes if name in open_layers):
        given[layer] = left // len(open_layers) + (place < left % len(open_layers))
    return given


def sample_indices(
    size: int, count: int, generator: np.random.Generator
) -> jt.Int[np.ndarray, " _"]:
    """Draw ``count`` different indices below ``size``; returned in ascending order.

    They begin a permutation, so of two draws from equal generators the smaller lies in the larger.
    """
    if count == size:
        return np.arange(size)
    return np.sort(generator.permutation(size)[:count])


def sample_indices_by_weight(
    weights: jt.Float[np.ndarray, " _"], count: int, generator: np.random.Generator
) -> jt.Int[np.ndarray, " _"]:
    """Draw ``count`` different indices one by one, each in proportion to its weight; ascending.

    Indices without weight come last. Of two draws from equal generators the smaller lies in the
    larger.

    Parameters
    ----------
    weights : array, (index,)
        At least 0; values that are not finite count as 0.
    count : int
    generator : numpy.random.Generator

    References
    ----------
    Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir".
    """
    waits = generator.standard_exponential(len(weights))
    heavy = np.isfinite(weights) & (weights > 0)
    # Clocks run as fast as their weights; the first to ring are drawn.
    order = np.lexsort((waits / np.where(heavy, weights, 1.0), ~heavy))
    return np.sort(order[:count])
