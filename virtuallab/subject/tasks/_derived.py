"""Base class of tasks that take their images from another task."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Annotated

import numpy as np

from virtuallab.fields import RegisteredPlugin, setting
from virtuallab.subject.task import SIZES, Images, Task
from virtuallab.subject.tasks.digits import Digits


@dataclass(frozen=True, kw_only=True)
class DerivedTask(Task):
    """Base class of tasks whose images are those of a classification task, with another aim."""

    of: Annotated[Task, RegisteredPlugin("task")] = setting(
        Digits(), doc="Task whose images are used: its name, or a mapping of its settings."
    )

    def __post_init__(self) -> None:
        if self.of.targets != "classes":
            raise ValueError(f"'of' has to be a classification task; {self.of.name!r} is none")
        kept = {field.name: field.default for field in fields(self.of) if field.name in SIZES}
        for name, default in kept.items():
            if getattr(self.of, name) != default:
                raise ValueError(f"{name!r} has to stand beside 'of', not in it")

    @cached_property
    def source(self) -> Task:
        """The other task, with as many images as this one asks for."""
        return replace(self.of, **{name: getattr(self, name) for name in SIZES})

    @property
    def full_name(self) -> str:
        """Name of the task and of the other task, ``"contrastive-digits"``."""
        return f"{self.name}-{self.of.name}"

    @property
    def classes(self) -> int:
        """Number of classes of the other task."""
        return self.of.classes

    @property
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of the other task's images."""
        return self.of.stimulus_shape

    @property
    def fewest_images(self) -> int:
        """Number of images that each part of the other task needs at least."""
        return self.of.fewest_images

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Images of the other task, and their classes."""
        return self.source.images()

    @abstractmethod
    def part(self, name: str) -> Images:
        """Return the images of a part with the targets of this task.

        Parameters
        ----------
        name : str
            ``"train"``, ``"validation"`` or ``"stimuli"``: the method that returns the part.
        """

    def train(self) -> Images:
        """Return the training images with the targets of this task."""
        return self.part("train")

    def validation(self) -> Images:
        """Return the validation images with the targets of this task."""
        return self.part("validation")

    def stimuli(self) -> Images:
        """Return the probe images with the targets of this task."""
        return self.part("stimuli")
