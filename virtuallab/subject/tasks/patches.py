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
from virtuallab.subject.task import SIZES
from virtuallab.subject.tasks._divided import DividedTask
from virtuallab.subject.tasks._photographs import FILES, patches


@TASKS.register("patches")
@dataclass(frozen=True, kw_only=True)
class Patches(DividedTask):
    """Natural patches of eight photographs; the class is the photograph.

    The photographs come with scikit-image and scikit-learn: an astronaut, a cat, a cup of coffee, a
    rocket, stars, stained glands, a flower and a palace. Training, validation and probe patches are
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

    def divided(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the patches of each part, from 0 to 255, and their classes."""
        for part, key in enumerate(SIZES):
            stimuli, labels = zip(*self._of_part(part, key), strict=True)
            yield np.concatenate(stimuli), np.concatenate(labels)

    def _of_part(self, part: int, key: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the patches of a part and their class, of one photograph after the other."""
        for label, name in enumerate(FILES):
            count = len(range(label, getattr(self, key), self.classes))
            found = patches(name, self.side, self.channels, part, count)
            if len(found) < count:
                raise UserError(
                    f"task 'patches' has {len(found)} patches of the photograph {name!r} for "
                    f"{key}, which needs {count}. Use a smaller {key}."
                )
            yield found, np.full(len(found), label)
