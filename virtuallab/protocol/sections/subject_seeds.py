"""The section ``subjects.seeds``: model seeds and data seeds, crossed with each other."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from virtuallab.fields import Count
from virtuallab.protocol.settings.section import Section
from virtuallab.seeds import PairedStream

# Streams of a model seed; the order of images and their augmentation belong to a data seed.
OF_MODEL: Final[tuple[PairedStream, ...]] = (
    "dropout",
    "feedback_weights",
    "initial_weights",
    "rule_noise",
    "update_noise",
)


class SubjectSeeds(Section):
    """Numbers of model seeds and data seeds: a subject of each rule for every pair of seeds."""

    model: Count = Field(
        description="Model seeds: draws of initial and backward weights, dropout, and the noise of "
        "rules and updates. Subjects of one network, task and model seed are a pair."
    )
    data: Count = Field(
        description="Data seeds: draws of the order of images and of their augmentations."
    )

    @property
    def count(self) -> int:
        """Number of pairs of a model seed and a data seed."""
        return self.model * self.data
