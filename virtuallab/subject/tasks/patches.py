"""Natural patches, cut from photographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from virtuallab.errors import UserError
from virtuallab.fields import setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task
from virtuallab.subject.tasks._photographs import FILES, patches


@TASKS.register("patches")
@dataclass(frozen=True, kw_only=True)
class Patches(Task):
    """Natural patches of eight photographs; the class is the photograph.

    The photographs come with scikit-image and scikit-learn: an astronaut, a cat, a cup of coffee, a
    rocket, stars, stained tissue, a flower and a palace. Training, validation and probe patches are
    cut from separate regions and share no pixel. Patches of uniform grey are left out.

    References
    ----------
    van der Walt et al. 2014, "scikit-image: image processing in Python", PeerJ 2:e453.
    """

    classes: ClassVar[int] = len(FILES)

    side: Annotated[int, Ge(4), Le(64)] = setting(
        16, unit="px", doc="Height and width of a patch, in pixels."
    )
    channels: Literal[1, 3] = setting(1, doc="1 for patches in grey, 3 for patches in colour.")

    @property
    def stimulus_shape(self) -> tuple[int, int, int]:
        """Shape of a patch, ``(channel, height, width)``."""
        return self.channels, self.side, self.side

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """Patches with values from 0 to 1, and their classes: those of the three parts in turn."""
        stimuli, labels = zip(*self._by_class(), strict=True)
        return np.concatenate(stimuli).astype(np.float32) / 255, np.concatenate(labels)

    def parts(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of the training, validation and probe patches, which are from three regions."""
        bounds = np.cumsum([self.train_images, self.validation_images])
        training, validation, probe = np.split(np.arange(len(labels)), bounds)
        return training, validation, probe

    def _by_class(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the patches of each part and class."""
        sizes = (self.train_images, self.validation_images, self.probe_images)
        for part, size in enumerate(sizes):
            for label, name in enumerate(FILES):
                count = len(range(label, size, self.classes))
                found = patches(name, self.side, self.channels, part, count)
                if len(found) < count:
                    key = ("train_images", "validation_images", "probe_images")[part]
                    raise UserError(
                        f"task 'patches' has {len(found)} patches of the photograph {name!r} for "
                        f"{key}, which needs {count}. Use a smaller {key}."
                    )
                yield found, np.full(len(found), label)
