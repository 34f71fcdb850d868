"""Articles of clothing at 28 x 28, from a Debian package."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from virtuallab.fields import setting
from virtuallab.registry import TASKS
from virtuallab.subject.tasks._files import FileTask, Source

_UINT8, _SIDE = 8, 28


@TASKS.register("fashion_mnist")
@dataclass(frozen=True, kw_only=True)
class FashionMnist(FileTask):
    """Articles of clothing: 70,000 images of 28 x 28, ten classes; needs its files.

    Debian's package dataset-fashion-mnist has them. Training images are drawn from the training
    split, validation and probe images from the test split.

    References
    ----------
    Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", arXiv:1708.07747.
    """

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (1, _SIDE, _SIDE)
    contents: ClassVar[str] = (
        "Debian's package dataset-fashion-mnist has the files (apt install dataset-fashion-mnist). "
        "Elsewhere, set 'path' to a folder with the four .gz files of "
        "https://github.com/zalandoresearch/fashion-mnist."
    )

    path: str = setting(
        "/usr/share/datasets/fashion-mnist",
        doc="Folder of the four IDX files (gzipped); the default is that of the Debian package.",
        place=True,
    )

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """Images and labels of both splits."""
        return [
            path / f"{split}-{content}-ubyte.gz"
            for split in ("train", "t10k")
            for content in ("images-idx3", "labels-idx1")
        ]

    def sources(self, path: Path) -> tuple[Source, Source]:
        """Training split and test split."""
        arrays = [self._read(file) for file in self.files(path)]
        splits = {"the training split": arrays[:2], "the test split": arrays[2:]}
        for name, (stimuli, labels) in splits.items():
            if stimuli.shape != (len(labels), _SIDE, _SIDE) or labels.max(initial=0) > 9:
                raise self.refusal(
                    f"{name} in {path} is not that of Fashion-MNIST. {self.contents}"
                )
        training, held_out = (
            Source(labels.astype(np.int64), stimuli[:, None].__getitem__, name)
            for name, (stimuli, labels) in splits.items()
        )
        return training, held_out

    def _read(self, file: Path) -> np.ndarray:
        """Array of an IDX file: two zeros, type, number of dimensions, sizes, values."""
        try:
            raw = gzip.decompress(file.read_bytes())
            _, kind, dimensions = int.from_bytes(raw[:2], "big"), raw[2], raw[3]
            shape = np.frombuffer(raw, ">u4", dimensions, offset=4).astype(int)
            values = np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
        except (OSError, EOFError, ValueError, IndexError) as error:
            raise self.refusal(f"{file} is no gzipped IDX file: {error}.") from None
        if kind != _UINT8:
            raise self.refusal(f"{file} is no IDX file of unsigned bytes.")
        return values
