"""Images of one's own, in a file of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from virtuallab.fields import setting
from virtuallab.registry import TASKS
from virtuallab.subject.tasks._arrays import read_arrays
from virtuallab.subject.tasks._files import FileTask, Source

_FEWEST = 3  # images of a class: one for each part


@TASKS.register("images")
@dataclass(frozen=True, kw_only=True)
class ImagesTask(FileTask):
    """Images of your own in arrays with labels: a .npz file, a zarr folder or a netCDF file.

    Stimuli are (image, channel, height, width) or (image, height, width), uint8 or floating point.
    Labels are whole numbers or texts; classes are numbered in their sorted order.
    """

    contents: ClassVar[str] = (
        "Set 'path' to a .npz file, a zarr folder or a netCDF file with an array of images and an "
        "array of labels."
    )

    stimuli_name: str = setting("stimuli", doc="Name of the array of images.")
    labels_name: str = setting("labels", doc="Name of the array of labels.")

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """The file, or all files of a zarr folder."""
        return [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]

    @property
    def classes(self) -> int:
        """Number of different labels."""
        return _size(self)[0]

    @property
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of an image, ``(channel, height, width)``."""
        return _size(self)[1]

    def sources(self, path: Path) -> tuple[Source, Source]:
        """All images, for every part."""
        try:
            stimuli, labels = read_arrays(path, self.stimuli_name, self.labels_name)
        except ValueError as error:
            raise self.refusal(f"{path} {error}.") from None
        names, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        if len(names) < 2:
            raise self.refusal(f"{path} has one class only, {names[0]!s}; expected two or more.")
        if sizes.min() < _FEWEST:
            rarest = int(sizes.argmin())
            raise self.refusal(
                f"{path} has {sizes[rarest]} images of the class {names[rarest]!s}; expected at "
                f"least {_FEWEST} of each class, one for each part."
            )
        every = Source(classes.astype(np.int64), stimuli.__getitem__, str(path))
        return every, every


@cache  # the file is read for it; the digest in the task tells files apart
def _size(task: ImagesTask) -> tuple[int, tuple[int, int, int]]:
    """Return the number of classes, and the shape of an image."""
    source, _ = task.sources(task.located())
    _, channels, height, width = source.read(np.array([0])).shape
    return int(source.labels.max()) + 1, (channels, height, width)
