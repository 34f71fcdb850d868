"""Random streams of a cohort, one for each subject."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from virtuallab import seeds
from virtuallab.subject.network.precision import promoted_dtype


class RandomStreams:
    """One random stream for each subject of a cohort, from one seed for each subject."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = tuple(seeds)
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._purposes: dict[str, RandomStreams] = {}

    def for_purpose(self, purpose: str) -> RandomStreams:
        """Independent streams of a purpose, which continue from one call to the next."""
        if purpose not in self._purposes:
            self._purposes[purpose] = self._derived(purpose)
        return self._purposes[purpose]

    def _derived(self, purpose: str) -> RandomStreams:
        return RandomStreams([seeds.integer(seed, purpose) for seed in self._seeds])

    def normal(self, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers ``(subject, *shape)`` in ``like``'s precision, on its device.

        The precision is float32 at least, so that a subject's noise has the same distribution in
        mixed precision.
        """
        shape, dtype = tuple(shape), promoted_dtype(like)
        numbers = [torch.randn(shape, generator=g, dtype=dtype) for g in self._generators]
        return torch.stack(numbers).to(like.device)

    def fixed_normal(self, purpose: str, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers ``(subject, *shape)`` of a purpose, the same at every call."""
        return self._derived(purpose).normal(shape, like)

    def independent(self) -> RandomStreams:
        """Other streams with the same fixed numbers, whose use does not advance these streams."""
        other = self._derived(seeds.INDEPENDENT)
        other._seeds = self._seeds  # which determine the fixed numbers
        return other
