"""Find a plug-in by the name a protocol uses.

A plug-in is a class with a ``name``, put into its registry by a decorator. Ours are found because
their module lies in the registry's package; a user's because an installed distribution declares an
entry point in the group ``virtuallab.<kind>``, or because a file was imported.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from virtuallab.errors import UnknownName

Plugin = TypeVar("Plugin", bound=type[Any])


class Registry(Generic[Plugin]):
    """All plug-ins of one kind.

    Parameters
    ----------
    kind : str
        What one of them is called in messages, ``"rule"``; its plural names the entry-point group.
    package : str
        The package whose modules hold the built-in ones; imported when first asked for a name.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._classes: dict[str, Plugin] = {}
        self._loaded = False

    def register(self, name: str) -> Callable[[Plugin], Plugin]:
        """Class decorator that enters a class under the name that protocols use."""

        def enter(cls: Plugin) -> Plugin:
            known = self._classes.setdefault(name, cls)
            if known is not cls and known.__qualname__ != cls.__qualname__:
                raise ValueError(f"two {self.kind}s are called {name!r}: {known} and {cls}")
            self._classes[name] = cls
            cls.name = name
            return cls

        return enter

    def __getitem__(self, name: str) -> Plugin:
        self._load()
        if name not in self._classes:
            raise UnknownName(self.kind, name, self._classes)
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        self._load()
        return len(self._classes)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
        for point in entry_points(group=f"virtuallab.{self.kind}s"):
            self._classes.setdefault(point.name, self.register(point.name)(point.load()))


RULES: Registry[Any] = Registry("rule", "virtuallab.subject.rules")
OPTIMIZERS: Registry[Any] = Registry("optimizer", "virtuallab.subject.optimizers")
ARCHITECTURES: Registry[Any] = Registry("architecture", "virtuallab.subject.architectures")
TASKS: Registry[Any] = Registry("task", "virtuallab.subject.tasks")
DEVICES: Registry[Any] = Registry("device", "virtuallab.probe.devices")
CLASSIFIERS: Registry[Any] = Registry("classifier", "virtuallab.decoder.classifiers")
