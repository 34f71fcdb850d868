"""One number for each subject, shaped so that it multiplies a tensor led by the subject axis."""

from __future__ import annotations

import torch


def spread(values: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """View one number per subject so that it multiplies a tensor led by the subject axis."""
    each = values if isinstance(values, torch.Tensor) else like.new_tensor(values)
    return each.view(-1, *[1] * (like.dim() - 1))
