"""Base of tasks whose images are files in one folder for each class."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le

from virtuallab.fields import setting
from virtuallab.paths import expanded
from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.tasks._files import FileTask, Source


@dataclass(frozen=True, kw_only=True)
class FolderTask(FileTask):
    """A task whose classes are folders of image files, which torchvision's ImageFolder lists.

    Of each image the shorter side is scaled to ``side``, and the square in its centre is used.
    """

    side: Annotated[int, Ge(4), Le(1024)] = setting(
        64, unit="px", doc="Height and width of the images, in pixels, to which files are scaled."
    )
    channels: Literal[1, 3] = setting(3, doc="3 for images in colour, 1 for images in grey.")

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """The folder alone; the files in it are found when they are read."""
        return [path]

    @classmethod
    def digest(cls, path: Path) -> str:
        """SHA-256 digest of the names and sizes of all files; empty if there is no such folder.

        The contents are not part of it: a million images would take an hour to read.
        """
        if not path.is_dir():
            return ""
        total = hashlib.sha256()
        for name, size in sorted(_names_and_sizes(str(path), "")):
            total.update(f"{name}\0{size}\0".encode())
        return total.hexdigest()

    @property
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of an image, ``(channel, height, width)``."""
        return self.channels, self.side, self.side

    def class_names(self, folder: Path) -> list[str]:
        """Return the names of the folders of the classes.

        Raises
        ------
        UserError
            If there are fewer than two.
        """
        if not folder.is_dir():
            raise self.refusal(f"there is no folder {folder}. {self.contents}")
        names = sorted(each.name for each in os.scandir(folder) if each.is_dir())
        if len(names) < 2:
            raise self.refusal(
                f"{folder} has {len(names)} subfolders; at least two classes are needed. "
                f"{self.contents}"
            )
        return names

    def source(self, folder: Path, name: str) -> Source:
        """Return the images in the subfolders of a folder.

        Parameters
        ----------
        folder : Path
        name : str
            As in :class:`Source`.

        Raises
        ------
        UserError
            If a class has no image.
        """
        self.class_names(folder)
        torchvision()
        from torchvision.datasets import ImageFolder

        try:
            found = ImageFolder(folder, loader=self._load)
        except FileNotFoundError as error:  # a class without an image
            raise self.refusal(f"{folder}: {str(error).partition('. Supported')[0]}.") from None

        def read(which: np.ndarray) -> np.ndarray:
            return np.stack([found[int(index)][0] for index in which])

        return Source(np.asarray(found.targets, np.int64), read, name)

    def _load(self, file: str) -> Any:
        """Read an image, (channel, side, side), uint8.

        Raises
        ------
        UserError
            If the file is no image.
        """
        from PIL import Image, ImageOps

        try:
            with warnings.catch_warnings(), Image.open(file) as image:
                warnings.simplefilter("ignore")  # of palettes and unusual metadata
                read = image.convert("RGB" if self.channels == 3 else "L")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self.refusal(f"{file} cannot be read as an image: {error}.") from None
        size = (self.side, self.side)
        pixels = np.asarray(ImageOps.fit(read, size, method=Image.Resampling.BILINEAR))
        return pixels.reshape(*size, self.channels).transpose(2, 0, 1)


@cache
def class_count(task: FolderTask, split: str = "") -> int:
    """Return the number of classes of a task, in its folder or in a subfolder of it.

    Parameters
    ----------
    task : FolderTask
    split : str
        Name of the subfolder.
    """
    return len(task.class_names(expanded(task.path) / split))


def _names_and_sizes(folder: str, below: str) -> list[tuple[str, int]]:
    """List all files under a folder: names relative to it, and sizes in bytes."""
    found: list[tuple[str, int]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if entry.is_dir():
                found += _names_and_sizes(entry.path, f"{name}/")
            else:
                found.append((name, entry.stat().st_size))
    return found
