"""Handwritten digits at 8 x 8."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task
from virtuallab.subject.tasks._packaged import packaged


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

    train_images: Count = setting(1200, unit="images", doc="Images to learn from.")
    validation_images: Count = setting(
        300, unit="images", doc="Images that tell how well it is learned."
    )
    probe_images: Count = setting(64, unit="images", doc="Images shown while probes record.")

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Grey levels of 0 to 1."""
        return _read()


@cache
def _read() -> tuple[np.ndarray, np.ndarray]:
    found = packaged("sklearn", "datasets/data/digits.csv.gz")
    stimuli = (found[:, :-1].reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    return stimuli, found[:, -1].astype(np.int64)
