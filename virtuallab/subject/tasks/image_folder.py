"""Images of one's own, in one folder for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from virtuallab.registry import TASKS
from virtuallab.subject.tasks._files import Source
from virtuallab.subject.tasks._image_folders import FolderTask, class_count


@TASKS.register("image_folder")
@dataclass(frozen=True, kw_only=True)
class ImageFolderTask(FolderTask):
    """Images of your own in files: one folder for each class, in PNG, JPEG or another format.

    Of each image the shorter side is scaled to ``side``, and the square in its centre is used. Only
    the images that are asked for are read.
    """

    contents: ClassVar[str] = (
        "Set 'path' to a folder with one subfolder of image files (.png, .jpg, .tif, ...) for each "
        "class."
    )

    @property
    def classes(self) -> int:
        """Number of subfolders."""
        return class_count(self)

    def sources(self, path: Path) -> tuple[Source, Source]:
        """All images, for every part."""
        every = self.source(path, str(path))
        return every, every
