"""Base class of tasks: images for training, for validation, and for recording responses."""

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
    """A classification task, whose images are divided into three disjoint parts.

    Subjects learn the training images, their accuracy is measured on the validation images, and
    probes record responses to the probe images.

    Attributes
    ----------
    name : str
        Name in protocols.
    """

    name: ClassVar[str]

    train_images: Count = setting(1000, unit="images", doc="Training images.")
    validation_images: Count = setting(300, unit="images", doc="Validation images.")
    probe_images: Count = setting(
        64, unit="images", doc="Images that are shown while probes record."
    )

    @property
    @abstractmethod
    def classes(self) -> int:
        """Number of classes."""

    @property
    @abstractmethod
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of an image, ``(channel, height, width)``."""

    @abstractmethod
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """All images and their classes, the same at every call.

        Returns
        -------
        stimuli : array of float32, (image, channel, height, width)
        labels : array of int64, (image,)
            From 0 to ``classes`` - 1.
        """

    def parts(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw the training, validation and probe images, with the same proportions of classes.

        A task whose images are divided already returns their own division.

        Parameters
        ----------
        labels : array of int, (image,)
            Classes of all images.

        Returns
        -------
        training, validation, probe : array of int, (image,)
            Indices of images; no image is in two parts.
        """
        training, rest = draw(np.arange(len(labels)), labels, self.train_images)
        validation, rest = draw(rest, labels, self.validation_images)
        probe, _ = draw(rest, labels, self.probe_images)
        return training, validation, probe

    @property
    def chance(self) -> float:
        """Accuracy of a guess."""
        return 1 / self.classes

    def train(self) -> Images:
        """Return the training images."""
        return _parts(self).train

    def validation(self) -> Images:
        """Return the validation images."""
        return _parts(self).validation

    def stimuli(self) -> Images:
        """Return the probe images, which are shown while probes record."""
        return _parts(self).probe


@cache
def _parts(task: Task) -> _Parts:
    """Images of a task, split once per process."""
    stimuli, labels = task.images()
    sizes = (task.train_images, task.validation_images, task.probe_images)
    if sum(sizes) > len(labels):
        raise UserError(
            f"task {task.name!r} has {len(labels)} images; {' + '.join(map(str, sizes))} were "
            "asked for (train_images, validation_images, probe_images)."
        )
    if min(sizes) < task.classes:
        raise UserError(f"task {task.name!r} needs at least {task.classes} images in each part.")
    training, validation, probe = task.parts(labels)
    mean, deviation = stimuli[training].mean(), stimuli[training].std()

    def images(which: np.ndarray) -> Images:
        standard = (stimuli[which] - mean) / deviation
        return Images(torch.from_numpy(standard), torch.from_numpy(labels[which]))

    return _Parts(images(training), images(validation), images(probe))


def draw(among: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw some of the images, with the same proportions of classes, always the same ones.

    Parameters
    ----------
    among : array of int, (candidate,)
        Indices of the images to draw from.
    labels : array of int, (image,)
        Classes of all images.
    count : int

    Returns
    -------
    sample, rest : array of int, (image,)
        Indices of the images that were drawn, and of the others.
    """
    if count == len(among):
        return among, among[:0]
    if len(among) - count < len(np.unique(labels)):  # too few are left over to be stratified
        order = np.random.default_rng(_SPLIT_SEED).permutation(among)
        return order[:count], order[count:]
    chosen, rest = stratified_split(labels[among], count, _SPLIT_SEED)
    return among[chosen], among[rest]
