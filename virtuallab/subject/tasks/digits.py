"""Handwritten digits at 8 x 8."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task
from virtuallab.subject.tasks._packaged import packaged_images


@TASKS.register("digits")
@dataclass(frozen=True, kw_only=True)
class Digits(Task):
    """Handwritten digits: 1,797 images of 8 x 8, ten classes; they come with scikit-learn.

    References
    ----------
    Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI repository.
    """

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (1, 8, 8)

    train_images: Count = setting(1200, unit="images", doc="Training images.")

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images with grey levels from 0 to 1, and their classes."""
        return packaged_images("sklearn", "datasets/data/digits.csv.gz", side=8, largest=16)
