"""The section ``search``: how open settings are searched for their best values."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from virtuallab.protocol.settings.section import Section

Objective = Literal["validation_accuracy", "validation_loss", "train_loss"]


class Search(Section):
    """How open settings are searched for their best values."""

    trials: Annotated[int, Ge(1), Le(100_000)] = Field(
        64, description="Settings tried in each study: for each rule, architecture and task."
    )
    generation: Annotated[int, Ge(1), Le(10_000)] = Field(
        16,
        description="Trials that are proposed at once and trained together; fewer learn more from "
        "one another, more are quicker.",
    )
    objective: Objective = Field(
        "validation_accuracy",
        description="What is best, at the last visit: validation_accuracy is maximised, "
        "validation_loss and train_loss (the mean since the visit before) are minimised.",
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        1,
        description="Subjects of each trial, with independent random streams; their mean is the "
        "trial's value.",
    )

    @property
    def maximised(self) -> bool:
        """Whether more is better."""
        return self.objective == "validation_accuracy"
