"""The section ``search``: how open settings are searched for their best values."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from virtuallab.protocol.settings.section import Section

Objective = Literal["validation_performance", "validation_loss", "train_loss"]


class Search(Section):
    """How open settings are searched for their best values."""

    trials: Annotated[int, Ge(1), Le(100_000)] = Field(
        64, description="Trials of each study; a study is one rule, architecture and task."
    )
    generation: Annotated[int, Ge(1), Le(10_000)] = Field(
        16,
        description="Trials that are proposed at once and trained together; with fewer, each "
        "proposal uses more results; with more, the search is faster.",
    )
    objective: Objective = Field(
        "validation_performance",
        description="Objective at the last visit: validation_performance (the accuracy, or another "
        "measure of the task) is maximised, validation_loss and train_loss (the mean since the "
        "visit before) are minimised.",
    )
    seeds: Annotated[int, Ge(1), Le(1_000)] = Field(
        1,
        description="Subjects of each trial, with independent random streams; their mean is the "
        "trial's value.",
    )

    @property
    def maximised(self) -> bool:
        """True if the objective is maximised."""
        return self.objective == "validation_performance"
