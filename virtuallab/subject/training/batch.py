"""Batches of training images, in which each subject sees images of its own."""

from __future__ import annotations

from collections.abc import Sequence

import jaxtyping as jt
import numpy as np
import torch
from torch import Tensor

from virtuallab.subject.task import Images


def batch_of(
    images: Images,
    chosen: jt.Int[Tensor, "batch subject"],
    streams: Sequence[np.random.Generator],
) -> tuple[Tensor, Tensor]:
    """Return the stimuli of a batch, and their targets.

    Parameters
    ----------
    images : Images
    chosen : Tensor of int, (batch, subject)
        The images that each subject sees.
    streams : sequence of Generator
        Of each subject, which draws two views of each image if the images have views.

    Returns
    -------
    stimuli : Tensor, (batch, subject*channel, height, width)
        With views, the batch is twice as large, and its second half shows the other views.
    targets : Tensor
        Values ``(batch, subject, output)`` if the images have them, else classes
        ``(batch, subject)``.
    """
    if images.views is not None:
        first, second = _two_views(images.views.shape[1], len(chosen), streams)
        both = torch.cat([images.views[chosen, each.to(chosen.device)] for each in (first, second)])
        return both.flatten(1, 2), images.labels[chosen].repeat(2, 1)
    targets = images.labels if images.values is None else images.values
    return _rows(images.stimuli, chosen).flatten(1, 2), _rows(targets, chosen)


def _rows(values: Tensor, chosen: Tensor) -> Tensor:
    """``values[chosen]``; whole rows are copied, which is faster than an index for each number."""
    return values.index_select(0, chosen.flatten()).view(*chosen.shape, *values.shape[1:])


def _two_views(
    count: int, batch: int, streams: Sequence[np.random.Generator]
) -> tuple[jt.Int[Tensor, "batch subject"], jt.Int[Tensor, "batch subject"]]:
    """Two different views of each image, by their numbers."""
    first = np.stack([stream.integers(count, size=batch) for stream in streams], axis=1)
    apart = np.stack([stream.integers(1, count, size=batch) for stream in streams], axis=1)
    return torch.from_numpy(first), torch.from_numpy((first + apart) % count)
