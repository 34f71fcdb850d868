"""Base of tasks that draw their images in three parts, so that no other image is read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from virtuallab.subject.task import Task


@dataclass(frozen=True, kw_only=True)
class DividedTask(Task):
    """A task whose training, validation and probe images are drawn one part after the other."""

    @abstractmethod
    def divided(self) -> Iterable[tuple[np.ndarray, np.ndarray]]:
        """Draw the images and the classes of each part, the same at every call.

        Returns
        -------
        iterable of (stimuli, labels)
            Training, validation and probe images, as many as the settings say. Stimuli are uint8
            from 0 to 255 or floating point, (image, channel, height, width).
        """

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images of the three parts in turn, and their classes; uint8 becomes 0 to 1."""
        stimuli, labels = zip(*self.divided(), strict=True)
        joined = np.concatenate(stimuli)
        values = joined.astype(np.float32)
        if joined.dtype == np.uint8:
            values /= 255
        return values, np.concatenate(labels).astype(np.int64)

    def parts(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of the training, validation and probe images, in the order of ``divided``."""
        bounds = np.cumsum([self.train_images, self.validation_images])
        training, validation, probe = np.split(np.arange(len(labels)), bounds)
        return training, validation, probe
