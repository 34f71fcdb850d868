"""Base class of tasks: images for training, for validation, and for recording responses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import numpy as np
import torch

from virtuallab.errors import UserError
from virtuallab.fields import Count, field_values, plugin_data, setting, written_settings
from virtuallab.registry import LOSSES
from virtuallab.subject.loss import Loss
from virtuallab.subject.stratified_split import stratified_split

Targets = Literal["classes", "values", "views"]
Measure = Literal["accuracy", "read-out accuracy", "explained variance"]
SIZES = ("train_images", "validation_images", "probe_images")  # settings, in the order of parts
_SPLIT_SEED = 20200101  # of the three parts; fixed, so that all subjects share them


@dataclass(frozen=True)
class Images:
    """Images and their classes.

    Parameters
    ----------
    stimuli : Tensor, (image, channel, height, width), float32
        Standardised by the training images' mean and standard deviation.
    labels : Tensor, (image,), int64
    values : Tensor, (image, output), float32, optional
        What the scores should be, in tasks whose targets are values.
    views : Tensor, (image, view, channel, height, width), float32, optional
        Augmented views of each image, in tasks whose targets are views.
    """

    stimuli: torch.Tensor
    labels: torch.Tensor
    values: torch.Tensor | None = None
    views: torch.Tensor | None = None

    def to(self, dtype: torch.dtype, device: str = "cpu") -> Images:
        """Return the images in another precision, or on another device.

        Parameters
        ----------
        dtype : torch.dtype
            Of the stimuli, values and views.
        device : str
        """
        real = (self.stimuli, self.values, self.views)
        stimuli, values, views = (None if x is None else x.to(device, dtype) for x in real)
        assert stimuli is not None
        return Images(stimuli, self.labels.to(device), values, views)


@dataclass(frozen=True)
class _Parts:
    train: Images
    validation: Images
    probe: Images


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """A task, whose images are divided into three disjoint parts.

    Subjects learn the training images, their performance is measured on the validation images, and
    probes record responses to the probe images. Most tasks are classifications.

    Attributes
    ----------
    name : str
        Name in protocols.
    targets : {"classes", "values", "views"}
        What the loss compares the scores of an image with: its class, values (a regression), or
        another view of the image.
    measure : str
        Measure of performance: ``"accuracy"``; ``"read-out accuracy"``, of a linear read-out of the
        last hidden layer; or ``"explained variance"``, a fraction.
    own_loss : str
        Name of the task's loss; empty if the protocol chooses it.
    """

    name: ClassVar[str]
    targets: ClassVar[Targets] = "classes"
    measure: ClassVar[Measure] = "accuracy"
    own_loss: ClassVar[str] = ""

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
        """Performance of a guess."""
        return 0.0 if self.measure == "explained variance" else 1 / self.classes

    @property
    def full_name(self) -> str:
        """Name in stores and reports, with that of the task whose images are used."""
        return self.name

    @property
    def outputs(self) -> int:
        """Number of scores of a network that learns the task."""
        return self.classes

    @property
    def fewest_images(self) -> int:
        """Number of images that each part needs at least: one of each class."""
        return self.classes

    def loss(self, name: str) -> Loss:
        """Return the loss of the task's subjects.

        Parameters
        ----------
        name : str
            As the protocol names it.
        """
        made: Loss = LOSSES[self.own_loss or name]()
        return made

    @property
    def has_head(self) -> bool:
        """True if a head replaces the read-out of a network."""
        return type(self).head is not Task.head

    def head(self, width: int) -> torch.nn.Module:
        """Return a module that replaces the dense read-out of a network, if the task has one.

        Parameters
        ----------
        width : int
            Number of units that the read-out receives.
        """
        raise NotImplementedError

    def written(self) -> dict[str, Any]:
        """Return the task as a protocol writes it: its name and its settings."""
        return {"name": self.name, **written_settings(type(self), field_values(self))}

    def identifying(self) -> dict[str, Any]:
        """Return the name and the settings that identify the task, without places of files."""
        return plugin_data(self)

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
    if min(sizes) < task.fewest_images:
        raise UserError(
            f"task {task.name!r} needs at least {task.fewest_images} images in each part."
        )
    training, validation, probe = task.parts(labels)
    mean, deviation = stimuli[training].mean(), stimuli[training].std()
    if deviation == 0:
        raise UserError(f"all training images of task {task.name!r} have one grey level.")

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
