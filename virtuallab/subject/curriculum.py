"""Base class of curricula, which decide which images a subject learns, and in which order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import jaxtyping as jt
import numpy as np

from virtuallab.subject.task import Images, Task


@dataclass(frozen=True, kw_only=True)
class Curriculum(ABC):
    """Choice and order of a subject's training images.

    A curriculum does not change the length of training: an epoch is always as many images as there
    are training images, whichever of them the curriculum shows.

    Attributes
    ----------
    name : str
        Name in protocols.
    """

    name: ClassVar[str]

    @abstractmethod
    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield the training images of each batch of one subject.

        Parameters
        ----------
        images : Images
            All training images of the task; they must not be changed.
        size : int
            Images in a batch.
        steps : int
            Training steps. More batches may be asked for, as when training is timed: the iterator
            must not end.
        stream : numpy.random.Generator
            Source of all that is random in the curriculum of this subject.

        Yields
        ------
        array of int, (batch,)
            Indices of training images; an image may come more than once.
        """

    def incompatibility(self, task: Task, steps: int) -> str | None:
        """Return why a task cannot be learned by this curriculum; None if it can.

        Parameters
        ----------
        task : Task
        steps : int
            Training steps.

        Returns
        -------
        str or None
        """
        return None


class Passes:
    """Draws without replacement: each member of a pool comes once in each pass through the pool.

    Parameters
    ----------
    stream : numpy.random.Generator
        Source of the order, which is new in each pass.
    """

    def __init__(self, stream: np.random.Generator) -> None:
        self._stream = stream
        self._left = np.empty(0, dtype=np.int64)

    def draw(self, pool: jt.Int[np.ndarray, " member"], count: int) -> jt.Int[np.ndarray, " drawn"]:
        """Return the next members: the rest of the last pass, then new passes through the pool.

        Parameters
        ----------
        pool : array of int, (member,)
            If it differs from that of the last draw, it is used from the next pass on.
        count : int
        """
        while len(self._left) < count:
            self._left = np.concatenate([self._left, self._stream.permutation(pool)])
        drawn, self._left = self._left[:count], self._left[count:]
        return drawn


def members_of_classes(images: Images) -> tuple[jt.Int[np.ndarray, " member"], ...]:
    """Return the indices of the training images of each class, by class.

    Parameters
    ----------
    images : Images
    """
    labels = images.labels.numpy()
    return tuple(np.flatnonzero(labels == each) for each in np.unique(labels))
