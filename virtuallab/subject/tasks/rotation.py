"""Regression of the angle by which an image is turned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Gt, Le

from virtuallab import seeds
from virtuallab.fields import setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Images, Measure, Targets
from virtuallab.subject.tasks._derived import DerivedTask

_SEED = 20200103  # of the angles; fixed, so that all subjects share them
_BINS = 4  # classes of angles, which recordings name


@TASKS.register("rotation")
@dataclass(frozen=True, kw_only=True)
class Rotation(DerivedTask):
    """Regression: estimate the angle by which each image was turned about its centre.

    The angle is uniform between two limits, and the target is the angle over the limit. All images
    are seen through a round aperture, with the mean grey level outside of it, since empty corners
    would show the angle. The classes are four ranges of angles with equal width. The performance is
    the explained variance, ``1 - mean((z - t)^2) / var(t)`` over validation images.

    References
    ----------
    The task is our own; turning images is a common pretext for learning: Gidaris et al. 2018,
    "Unsupervised Representation Learning by Predicting Image Rotations".
    """

    targets: ClassVar[Targets] = "values"
    measure: ClassVar[Measure] = "explained variance"
    own_loss: ClassVar[str] = "mean_squared_error"

    largest: Annotated[float, Gt(0), Le(180)] = setting(
        60.0, unit="degrees", doc="Largest angle, in both directions."
    )

    @property
    def classes(self) -> int:
        """Number of ranges of angles."""
        return _BINS

    @property
    def outputs(self) -> int:
        """One."""
        return 1

    def part(self, name: str) -> Images:
        """Return the turned images of a part, and their angles."""
        return _standardised(self, name)


@cache
def _standardised(task: Rotation, part: str) -> Images:
    """Turned images, with the mean and standard deviation of the turned training images."""
    images, train = (_turned(task, each) for each in (part, "train"))
    mean, deviation = train.stimuli.mean(), train.stimuli.std(correction=0)
    return replace(images, stimuli=(images.stimuli - mean) / deviation)


@cache
def _turned(task: Rotation, part: str) -> Images:
    """Images of a part, turned once per process."""
    from scipy.ndimage import affine_transform

    images: Images = getattr(task.source, part)()
    pixels = images.stimuli.numpy()
    count, _, height, width = pixels.shape
    stream = np.random.default_rng(seeds.sequence(_SEED, part))
    # One angle from each of as many ranges as there are images, so that few images cover all.
    share = 2 * (stream.permutation(count) + stream.random(count)) / count - 1
    centre = (np.array([height, width]) - 1) / 2
    rows, columns = np.indices((height, width))
    radius = min(height, width) / 2
    inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2
    turned = np.zeros_like(pixels)
    for index, angle in enumerate(np.deg2rad(share * task.largest)):
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        offset = centre - matrix @ centre
        for channel, plane in enumerate(pixels[index]):
            seen = affine_transform(plane, matrix, offset, order=1, mode="nearest")
            turned[index, channel] = np.where(inside, seen, 0.0)
    labels = np.minimum(((share + 1) / 2 * _BINS).astype(np.int64), _BINS - 1)
    values = torch.from_numpy(share[:, None].astype(np.float32))
    return Images(torch.from_numpy(turned), torch.from_numpy(labels), values)
