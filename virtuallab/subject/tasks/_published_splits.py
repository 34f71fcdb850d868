"""Base of published data sets that torchvision reads and whose files it verifies."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.tasks._files import FileTask, Source


@dataclass(frozen=True, kw_only=True)
class PublishedSplits(FileTask):
    """A data set of torchvision with a training split and a test split.

    Training images are drawn from the training split, validation and probe images from the test
    split.
    """

    @abstractmethod
    def split(self, datasets: Any, path: Path, *, train: bool) -> tuple[np.ndarray, Any]:
        """Return the images and the labels of a split.

        Parameters
        ----------
        datasets : module
            ``torchvision.datasets``.
        path : Path
        train : bool
            True for the training split, False for the test split.

        Returns
        -------
        stimuli : array of uint8, (image, channel, height, width)
        labels : sequence of int
        """

    def sources(self, path: Path) -> tuple[Source, Source]:
        """Training split and test split."""
        torchvision()
        from torchvision import datasets

        found = []
        for train, name in ((True, "the training split"), (False, "the test split")):
            try:
                stimuli, labels = self.split(datasets, path, train=train)
            except RuntimeError:  # torchvision compares checksums with those published
                raise self.refusal(
                    f"the files in {path} are not those that were published: their checksums "
                    f"differ. {self.contents}"
                ) from None
            found.append(Source(np.asarray(labels, np.int64), stimuli.__getitem__, name))
        training, held_out = found
        return training, held_out
