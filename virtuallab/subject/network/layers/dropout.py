"""Dropout of a population."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from virtuallab.errors import UserError


class PopulationDropout(nn.Module):
    """Dropout with masks from each subject's own stream."""

    def __init__(self, rate: float, seeds: Sequence[int]) -> None:
        super().__init__()
        self.rate = rate
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]

    def forward(self, x: Tensor) -> Tensor:
        """Set units to zero with probability ``rate`` and scale up the others, in training only."""
        if not self.training or self.rate == 0:
            return x
        if x.dim() == 3 and len(self.streams) > 1:
            raise UserError(
                "a population cannot drop units of a signal of three axes, where subjects may be "
                "in the second or the last."
            )
        share = (len(x), x.shape[1] // len(self.streams), *x.shape[2:])
        masks = [torch.rand(share, generator=g, dtype=torch.float64) for g in self.streams]
        kept = torch.cat(masks, 1).to(x.device) >= self.rate
        return x * kept / (1 - self.rate)
