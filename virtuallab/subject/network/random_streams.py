"""Noise that belongs to subjects: each draws from a stream of its own, whoever is beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from virtuallab import seeds


class Streams:
    """One random stream for each subject of a cohort.

    Parameters
    ----------
    seeds : sequence of int
        One for each subject.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._seeds = tuple(seeds)
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._kept: dict[str, Streams] = {}

    def of(self, purpose: str) -> Streams:
        """Return the streams of a purpose, apart from all others, where they were left."""
        if purpose not in self._kept:
            self._kept[purpose] = self._first(purpose)
        return self._kept[purpose]

    def _first(self, purpose: str) -> Streams:
        return Streams([seeds.integer(seed, purpose) for seed in self._seeds])

    def normal(self, shape: Sequence[int], like: Tensor) -> Tensor:
        """Standard normal numbers, ``(subject, *shape)``, of ``like``'s precision and device."""
        drawn = [
            torch.randn(tuple(shape), generator=stream, dtype=like.dtype)
            for stream in self._generators
        ]
        return torch.stack(drawn).to(like.device)

    def once(self, purpose: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """Standard normal numbers that belong to a purpose: the same at any time."""
        return self._first(purpose).normal(shape, like)

    def apart(self) -> Streams:
        """Return streams for something tried aside: what they give changes nothing here."""
        twin = self._first(seeds.ASIDE)
        twin._seeds = self._seeds  # what is drawn once is the same here and there
        return twin
