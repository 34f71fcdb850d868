"""Base class of tasks: images to learn from, to validate on, and to record responses to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch

from virtuallab.errors import UserError
from virtuallab.fields import Count, setting
from virtuallab.subject.stratified_split import stratified_split

_SPLIT_SEED = 20200101  # of the three parts; fixed, so that all subjects share them


@dataclass(frozen=True)
class Images:
    """Images and their classes.

    Parameters
    ----------
    stimuli : Tensor, (image, channel, height, width), float32
        Standardised by the training images' mean and standard deviation.
    labels : Tensor, (image,), int64
    """

    stimuli: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class _Parts:
    train: Images
    validation: Images
    probe: Images


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A classification task whose images fall into three parts that share none.

    The training images are learned, the validation images tell how well, and the probe images are
    shown while probes record.
    """

    name: ClassVar[str]
    classes: ClassVar[int]
    stimulus_shape: ClassVar[tuple[int, int, int]]

    train_images: Count = setting(1000, unit="images", doc="Images to learn from.")
    validation_images: Count = setting(
        300, unit="images", doc="Images that tell how well it is learned."
    )
    probe_images: Count = setting(64, unit="images", doc="Images shown while probes record.")

    @abstractmethod
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """All images, float32 ``(image, channel, height, width)``, and their classes, int64."""

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / self.classes

    def train(self) -> Images:
        """Images to learn from."""
        return _parts(self).train

    def validation(self) -> Images:
        """Images that tell how well it is learned."""
        return _parts(self).validation

    def stimuli(self) -> Images:
        """Images shown while probes record."""
        return _parts(self).probe


@cache
def _parts(task: Task) -> _Parts:
    """Images of a task, split once per process, with the same proportions of classes."""
    stimuli, labels = task.images()
    sizes = (task.train_images, task.validation_images, task.probe_images)
    if sum(sizes) > len(labels):
        raise UserError(
            f"task {task.name!r} has {len(labels)} images; {' + '.join(map(str, sizes))} were "
            "asked for (train_images, validation_images, probe_images)."
        )
    if min(sizes) < task.classes:
        raise UserError(f"task {task.name!r} needs at least {task.classes} images in each part.")
    everyone = np.arange(len(labels))
    chosen, rest = _draw(everyone, labels, sizes[0])
    validation, rest = _draw(rest, labels, sizes[1])
    probe, _ = _draw(rest, labels, sizes[2])
    mean, deviation = stimuli[chosen].mean(), stimuli[chosen].std()

    def images(which: np.ndarray) -> Images:
        standard = (stimuli[which] - mean) / deviation
        return Images(torch.from_numpy(standard), torch.from_numpy(labels[which]))

    return _Parts(images(chosen), images(validation), images(probe))


def _draw(among: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    if count == len(among):
        return among, among[:0]
    if len(among) - count < len(np.unique(labels)):  # too few are left over to be stratified
        order = np.random.default_rng(_SPLIT_SEED).permutation(among)
        return order[:count], order[count:]
    chosen, rest = stratified_split(labels[among], count, _SPLIT_SEED)
    return among[chosen], among[rest]
