"""ImageNet, from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.tasks._files import Source
from virtuallab.subject.tasks._image_folders import FolderTask, class_count


@TASKS.register("imagenet")
@dataclass(frozen=True, kw_only=True)
class ImageNetTask(FolderTask):
    """ImageNet: photographs of 1,000 classes of objects, scaled to squares; needs its files.

    Training images are drawn from the training split, validation and probe images from the
    validation split. Only the images that are asked for are read. Fewer classes are used if there
    are fewer folders.

    References
    ----------
    Russakovsky et al. 2015, "ImageNet Large Scale Visual Recognition Challenge", International
    Journal of Computer Vision 115, 211-252.
    """

    contents: ClassVar[str] = (
        "Set 'path' to a folder with the subfolders 'train' and 'val' of ILSVRC2012, each with one "
        "folder of JPEG files for each class (n01440764, ...). The archives are at "
        "https://image-net.org after registration."
    )

    train_images: Count = setting(10_000, unit="images", doc="Training images.")
    validation_images: Count = setting(2000, unit="images", doc="Validation images.")
    probe_images: Count = setting(
        1000, unit="images", doc="Images that are shown while probes record."
    )

    @property
    def classes(self) -> int:
        """Number of subfolders of the training split."""
        return class_count(self, "train")

    def sources(self, path: Path) -> tuple[Source, Source]:
        """Training split and validation split."""
        names, held_out = (self.class_names(path / split) for split in ("train", "val"))
        if differing := sorted(set(names) ^ set(held_out)):
            raise self.refusal(
                f"'train' and 'val' in {path} have different classes: {', '.join(differing[:3])} "
                "in one only."
            )
        return (
            self.source(path / "train", "the training split"),
            self.source(path / "val", "the validation split"),
        )
