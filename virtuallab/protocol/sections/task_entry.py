"""An entry of ``subjects.tasks``: a task, and the architectures that learn it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler

from virtuallab.protocol.settings.plugin_reader import Keys, PluginReader
from virtuallab.protocol.settings.plugin_spec import PluginSpec
from virtuallab.protocol.settings.readers import ListReader, Reader
from virtuallab.registry import TASKS


@dataclass(frozen=True)
class TaskEntry(PluginSpec):
    """A task of a protocol, and the architectures that learn it.

    Parameters
    ----------
    architectures : tuple of str
        Their names; all of the protocol if empty.
    """

    architectures: tuple[str, ...] = ()

    def belongs_to(self, architecture: PluginSpec) -> bool:
        """Return whether an architecture learns the task."""
        return not self.architectures or architecture.plugin.name in self.architectures

    def written(self) -> dict[str, Any]:
        """Return the entry as in a protocol."""
        named = {"architectures": list(self.architectures)} if self.architectures else {}
        return {**super().written(), **named}

    def identifying(self) -> dict[str, Any]:
        """Return the task alone, without settings that tell where files are."""
        return {k: v for k, v in super().identifying().items() if k != "architectures"}


class TaskEntryReader(Reader):
    """Reader of a task with the names of its architectures."""

    def read(self, value: Any) -> TaskEntry:
        """Return the task of this name with its settings and architectures."""
        task, section = TASK.read_with_keys(value)
        return TaskEntry(task.plugin, task.settings, section.architectures)  # type: ignore[attr-defined]

    def json_schema(self, of: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return ``anyOf`` the names and the sections of all tasks."""
        return TASK.json_schema(of)


def _keys() -> Keys:
    names = Field(
        (), description="Names of the architectures that learn this task; all if not given."
    )
    return {"architectures": (Annotated[tuple[str, ...], ListReader(str)], names)}


TASK = PluginReader(TASKS, _keys)
