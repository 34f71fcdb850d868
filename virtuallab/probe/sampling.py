"""Which units, synapses and stimuli a probe reaches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

Indices = Int[np.ndarray, " _"]  # of any number


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


def drawn(size: int, count: int, stream: np.random.Generator) -> Indices:
    """Draw ``count`` different indices below ``size``, in ascending order.

    They begin a permutation, so of two draws from equal streams the smaller lies in the larger.
    """
    if count == size:
        return np.arange(size)
    return np.sort(stream.permutation(size)[:count])
