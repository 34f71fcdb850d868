"""Augmented views of images, by the transforms of torchvision."""

from __future__ import annotations

from dataclasses import dataclass

import jaxtyping as jt
import torch

from virtuallab import seeds
from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.torch_stream import global_stream

_SEED = 20200102  # of the banks of views; fixed, so that all subjects share them


@dataclass(frozen=True)
class Augmentation:
    """How a view is drawn from an image.

    Parameters
    ----------
    smallest_crop : float
        Smallest area of a crop, as a fraction of the image.
    mirror : bool
        Whether half of the views are mirrored.
    jitter : float
        Largest change of brightness and of contrast, as a fraction.
    blur : bool
        Whether half of the views are blurred.
    """

    smallest_crop: float
    mirror: bool
    jitter: float
    blur: bool


def augmented_views(
    stimuli: jt.Float[torch.Tensor, "image channel height width"],
    limits: tuple[torch.Tensor, torch.Tensor],
    how: Augmentation,
    views: int,
    part: str,
) -> jt.Float[torch.Tensor, "image view channel height width"]:
    """Views of each image, the same at every call.

    Parameters
    ----------
    stimuli : Tensor, (image, channel, height, width)
    limits : pair of Tensor
        Black and white, between which brightness and contrast are changed.
    how : Augmentation
    views : int
        Views of each image.
    part : str
        Name of the images; each has random numbers of its own.

    Returns
    -------
    Tensor, (image, view, channel, height, width)
        On the scale of the stimuli.
    """
    low, high = limits
    grey = ((stimuli - low) / (high - low)).clamp(0, 1)
    draw = _transform(how, (stimuli.shape[2], stimuli.shape[3]))
    with global_stream(seeds.integer(_SEED, "views", part)):
        drawn = [torch.stack([draw(image) for _ in range(views)]) for image in grey]
    return torch.stack(drawn) * (high - low) + low


def _transform(how: Augmentation, size: tuple[int, int]) -> torch.nn.Module:
    torchvision()  # which needs declarations beside a torch without CUDA
    from torchvision.transforms import v2

    steps: list[torch.nn.Module] = [
        v2.RandomResizedCrop(size, scale=(how.smallest_crop, 1.0), antialias=True)
    ]
    if how.mirror:
        steps.append(v2.RandomHorizontalFlip())
    if how.jitter:
        steps.append(v2.ColorJitter(how.jitter, how.jitter))
    if how.blur:
        # The kernel is a tenth of the image, as published, but at least 3 pixels.
        kernel = max(3, min(size) // 10 | 1)
        steps.append(v2.RandomApply([v2.GaussianBlur(kernel, sigma=(0.1, 2.0))], p=0.5))
    made: torch.nn.Module = v2.Compose(steps)
    return made
