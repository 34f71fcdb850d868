"""Reconstruction of images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from virtuallab.registry import TASKS
from virtuallab.subject.task import Images, Measure, Targets
from virtuallab.subject.tasks._derived import DerivedTask


@TASKS.register("reconstruction")
@dataclass(frozen=True, kw_only=True)
class Reconstruction(DerivedTask):
    """Autoencoder: the scores of an image are its pixels.

    Labels are not used in learning. The performance is the accuracy of a linear read-out of the
    last hidden layer, which is the code.

    References
    ----------
    Hinton and Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks".
    """

    targets: ClassVar[Targets] = "values"
    measure: ClassVar[Measure] = "read-out accuracy"
    own_loss: ClassVar[str] = "mean_squared_error"

    @property
    def outputs(self) -> int:
        """Number of pixels, over all channels."""
        return math.prod(self.stimulus_shape)

    def part(self, name: str) -> Images:
        """Return the images of a part, which are their own targets."""
        return _reconstructed(self, name)


@cache
def _reconstructed(task: Reconstruction, part: str) -> Images:
    images: Images = getattr(task.source, part)()
    return replace(images, values=images.stimuli.flatten(1))
