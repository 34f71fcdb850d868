"""Random numbers of a cohort: each subject draws from a stream of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from virtuallab import seeds


class RandomStreams:
    """One random stream for each subject of a cohort.

    Parameters
    ----------
    seeds : sequence of int
        One for each subject.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = tuple(seeds)
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._kept: dict[str, RandomStreams] = {}

    def for_purpose(self, purpose: str) -> RandomStreams:
        """Independent streams of a purpose, which continue where they were left."""
        if purpose not in self._kept:
            self._kept[purpose] = self._derived(purpose)
        return self._kept[purpose]

    def _derived(self, purpose: str) -> RandomStreams:
        return RandomStreams([seeds.integer(seed, purpose) for seed in self._seeds])

    def normal(self, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers, ``(subject, *shape)``, of ``like``'s precision and device."""
        shape, dtype = tuple(shape), like.dtype
        drawn = [torch.randn(shape, generator=g, dtype=dtype) for g in self._generators]
        return torch.stack(drawn).to(like.device)

    def fixed_normal(self, purpose: str, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
        """Standard normal numbers of a purpose, ``(subject, *shape)``: the same at every call."""
        return self._derived(purpose).normal(shape, like)

    def independent(self) -> RandomStreams:
        """Streams for a trial whose draws must not change what these streams return."""
        twin = self._derived(seeds.ASIDE)
        twin._seeds = self._seeds  # so that fixed numbers are the same in both
        return twin
