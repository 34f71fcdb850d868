"""Section ``subjects.start_from``: what subjects learn before visit 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, GetJsonSchemaHandler

from virtuallab.fields import Count
from virtuallab.protocol.messages.places import Place
from virtuallab.protocol.sections.rule_entry import RULE, OptimizerSpec
from virtuallab.protocol.settings.distributions import bounds_of
from virtuallab.protocol.settings.plugin_reader import PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec, Settings, plain
from virtuallab.protocol.settings.section import Section
from virtuallab.registry import RULES, TASKS

if TYPE_CHECKING:
    from virtuallab.subject.pretraining import Pretraining
    from virtuallab.subject.task import Task

_PLUGINS = ("task", "rule", "optimizer")


class _RuleReader(PluginReader):
    """Reader of a rule without the keys of an entry of ``subjects.rules``."""

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the forms of these entries, since those of all rules again are a long text."""
        return RULE.json_schema(of)


class StartFrom(Section):
    """Section on what each subject learns before visit 0, with random streams of its own."""

    task: Annotated[PluginSpec, PluginReader(TASKS)] | None = Field(
        None, description="Task of the pretraining; the subject's own if not given."
    )
    rule: Annotated[PluginSpec, _RuleReader(RULES)] | None = Field(
        None, description="Rule of the pretraining; the subject's own if not given."
    )
    optimizer: OptimizerSpec | None = Field(
        None, description="Optimizer of the pretraining; the subject's own if not given."
    )
    epochs: Count | None = Field(
        None,
        description="Length of the pretraining in passes through its training images; "
        "alternative: steps. If neither is given, it is as long as the training.",
    )
    steps: Count | None = Field(
        None, description="Length of the pretraining in steps; alternative: epochs."
    )

    @property
    def settings(self) -> Settings:
        """Settings of the task, the rule and the optimizer: ``optimizer.learning_rate``."""
        given = {key: getattr(self, key) for key in _PLUGINS}
        return Settings({key: each for key, each in given.items() if each is not None})

    def faults(self, batch_size: Any, paired: Sequence[str]) -> Iterator[tuple[Place, str]]:
        """Yield place and message of each fault, in view of other settings of the subjects.

        Parameters
        ----------
        batch_size : int, Grid or Distribution
        paired : sequence of str
            Random streams that a pair shares.
        """
        if self.epochs is not None and self.steps is not None:
            yield ("steps",), "epochs is given too. Keep one of the two."
        if self.task is not None:
            fewest, most = (
                bounds_of(self.task.settings["train_images"])[0],
                bounds_of(batch_size)[-1],
            )
            if fewest < most:
                words = f"a batch of {most} cannot be filled: there are {fewest} training images."
                yield ("task",), f"{words} Raise train_images."
        if "initial_weights" in paired and None in (self.rule, self.optimizer):
            words = (
                "subjects of a pair share their initial weights, so that their pretraining has to "
                "be the same. Give start_from a rule and an optimizer."
            )
            yield (), words

    def points(self) -> tuple[StartFrom, ...]:
        """Return every point of the grids; distributions stay open."""
        return tuple(self.replaced(each) for each in self.settings.combinations())

    def replaced(self, values: Mapping[str, Any]) -> StartFrom:
        """Return the section with other values of some settings, by path."""
        return self.model_copy(update=dict(self.settings.replaced(values)))

    def draw(
        self,
        stream_of: Callable[[str], np.random.Generator],
        task: Task,
        batch_size: int,
        steps: int,
    ) -> Pretraining:
        """Return the pretraining of one subject; see :meth:`Settings.drawn`.

        Parameters
        ----------
        stream_of : callable
        task : Task
            The subject's own.
        batch_size, steps : int
            Those of the subject.
        """
        from virtuallab.subject.pretraining import Pretraining

        specs = self.settings.replaced(self.settings.drawn(stream_of))
        made: dict[str, Any] = {key: each.build() for key, each in specs.items()}
        if self.epochs is not None:
            steps = self.epochs * (made.get("task", task).train_images // batch_size)
        return Pretraining(steps=self.steps or steps, **made)

    def identifying(self) -> dict[str, Any]:
        """Return the section without settings that tell where files are."""
        task = {} if self.task is None else {"task": self.task.identifying()}
        return self.written() | task

    def written(self) -> dict[str, Any]:
        """Return the section as in a protocol, without keys that are not given."""
        keys = {key: getattr(self, key) for key in type(self).model_fields}
        return {key: plain(each) for key, each in keys.items() if each is not None}
