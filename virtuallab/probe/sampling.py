"""Which units, synapses and stimuli a probe reaches."""

from __future__ import annotations

from collections.abc import Mapping

import jaxtyping as jt
import numpy as np


def shares(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a number of units over layers in proportion to their sizes.

    Every layer gets its whole share, and the largest remainders get what is left over; the result
    depends on the sizes alone, so all subjects of one make have the same number in each layer.

    >>> shares({"conv1": 90, "fc2": 10}, 20)
    {'conv1': 18, 'fc2': 2}
    """
    everything = sum(sizes.values())
    given = {layer: size * total // everything for layer, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda layer: (-(sizes[layer] * total % everything), layer))
    for layer in by_remainder[: total - sum(given.values())]:
        given[layer] += 1
    return given


def even_shares(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Divide a number of units over layers evenly; a layer that has fewer gives all.

    What does not go up evenly goes to the first layers.

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


def drawn(size: int, count: int, stream: np.random.Generator) -> jt.Int[np.ndarray, " _"]:
    """Draw ``count`` different indices below ``size``, in ascending order.

    They begin a permutation, so of two draws from equal streams the smaller lies in the larger.
    """
    if count == size:
        return np.arange(size)
    return np.sort(stream.permutation(size)[:count])


def drawn_by_weight(
    weights: jt.Float[np.ndarray, " _"], count: int, stream: np.random.Generator
) -> jt.Int[np.ndarray, " _"]:
    """Draw ``count`` different indices one after the other, each in proportion to its weight.

    Those without weight come last. Of two draws from equal streams the smaller lies in the larger.

    Parameters
    ----------
    weights : array
        One for each index, at least 0; what is not finite counts as 0.
    count : int
    stream : numpy.random.Generator

    References
    ----------
    Efraimidis and Spirakis 2006, "Weighted random sampling with a reservoir".
    """
    waits = stream.standard_exponential(len(weights))
    heavy = np.isfinite(weights) & (weights > 0)
    # The first to ring of clocks that run as fast as their weights; without weight, after all.
    order = np.lexsort((waits / np.where(heavy, weights, 1.0), ~heavy))
    return np.sort(order[:count])
