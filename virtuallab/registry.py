"""Registries of plug-ins, by the names that protocols use.

A plug-in is a class with a ``name``, registered by a decorator. Ours are found because their module
is in the registry's package and has the plug-in's name; those of users because an installed
distribution declares an entry point in the group ``virtuallab.<kind>s``, or because a file was
imported. Some names are not of a plug-in but have a form that says where to find a class
(:class:`~virtuallab.name_form.NameForm`): ``torchvision.resnet50``.

Other installed packages must not stop a command: an entry point that cannot be used is skipped with
one warning, and only a protocol that names it is refused.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import logging
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from virtuallab.errors import BrokenPlugin, UnknownName
from virtuallab.installed import in_a_line, our_entry_points
from virtuallab.name_form import NameForm
from virtuallab.text import printable

Plugin = TypeVar("Plugin", bound=type[Any])

_LOG = logging.getLogger("virtuallab")  # by default, warnings go to stderr, one line each


class Registry(Generic[Plugin]):
    """All plug-ins of one kind.

    Parameters
    ----------
    kind : str
        Name in messages, ``"rule"``; its plural names the entry-point group.
    package : str
        Package with the modules of built-in plug-ins, which are imported when they are needed.
    base : str, optional
        Base class, ``"virtuallab.subject.rule:Rule"``; a plug-in from an entry point has to derive
        from it.
    plural : str, optional
        Of the kind, where it is irregular.
    forms : sequence of NameForm
        Forms of further names.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        base: str | None = None,
        plural: str | None = None,
        forms: Sequence[NameForm] = (),
    ) -> None:
        self.kind = kind
        self.plural = plural or f"{kind}{'es' if kind.endswith('s') else 's'}"
        self._group = f"virtuallab.{self.plural.replace(' ', '_')}"
        self._package = package
        self.base = base
        self.forms = tuple(forms)
        self._classes: dict[str, Plugin] = {}
        self._broken: dict[str, str] = {}  # name of an entry point -> why it cannot be used
        self._loaded = False
        self._others_loaded = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the registry by its kind, so that another process uses its own.

        A copy would have the plug-ins that were loaded here, but not those that the other process
        has imported already.
        """
        return registry_of, (self.kind,)

    def register(self, name: str) -> Callable[[Plugin], Plugin]:
        """Return a class decorator that registers a class under the name that protocols use."""

        def enter(cls: Plugin) -> Plugin:
            if not cls.__module__.startswith("virtuallab."):
                self._check_class(cls)
            known = self._classes.setdefault(name, cls)
            if known is not cls and known.__qualname__ != cls.__qualname__:
                raise ValueError(f"two {self.plural} are called {name!r}: {known} and {cls}")
            self._classes[name] = cls
            cls.name = name
            return cls

        return enter

    def __getitem__(self, name: str) -> Plugin:
        for each in self.forms:
            if name == each.form:
                raise BrokenPlugin(self.kind, name, f"it is the form of a name. {each.doc}")
            if name not in self._classes and re.fullmatch(each.pattern, name):
                found: Plugin = each.find(name)
                return found
        if name not in self._classes and name in self._modules():
            importlib.import_module(f"{self._package}.{name}")  # no other needs to be imported
        if name not in self._classes:
            self._load()
        if name in self._classes:
            return self._classes[name]
        if name in self._broken:
            raise BrokenPlugin(self.kind, name, self._broken[name])
        raise UnknownName(self.kind, name, self._classes, [each.form for each in self.forms])

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        self._load()
        return len(self._classes)

    def docs(self) -> dict[str, str]:
        """Return the docstring of each plug-in by its name, and the line about each form of names.

        Our modules are not imported, which would take most of the time of ``virtuallab list``.
        """
        found = {each.form: each.doc for each in self.forms}
        if not self._loaded:
            for module in sorted(self._modules()):
                found |= _registered((self._folder / f"{module}.py").read_bytes())
            self._load_others(found)
        return found | {name: cls.__doc__ or "" for name, cls in self._classes.items()}

    def is_as_shipped(self) -> bool:
        """Return whether all registered and declared plug-ins are those of this distribution."""
        return not any(point.group == self._group for _, point in our_entry_points()) and all(
            cls.__module__.startswith(f"{self._package}.") for cls in self._classes.values()
        )

    def discard(self, name: str, reason: str) -> None:
        """Remove a plug-in that cannot be used, with a warning.

        Parameters
        ----------
        name : str
        reason : str
            Its origin and its fault.
        """
        self._classes.pop(name, None)
        self._broken[name] = reason
        _LOG.warning("Warning: %s %s is left out: %s", self.kind, printable(name), reason)

    @cached_property
    def _folder(self) -> Path:
        """Folder of our own plug-ins; found without importing the packages above it."""
        top, *below = self._package.split(".")
        return Path(importlib.import_module(top).__path__[0], *below)

    def _modules(self) -> frozenset[str]:
        return frozenset(
            module.name
            for module in pkgutil.iter_modules([str(self._folder)])
            if not (module.ispkg or module.name.startswith("_"))  # shared code
        )

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for name in sorted(self._modules()):
            importlib.import_module(f"{self._package}.{name}")
        self._load_others(self._classes)

    def _load_others(self, ours: Iterable[str]) -> None:
        """Register plug-ins of other distributions, under names that ours do not have."""
        if self._others_loaded:
            return
        self._others_loaded = True
        ours = frozenset(ours)
        points: dict[str, list[tuple[str, Any]]] = {}
        for distribution, point in our_entry_points():
            if point.group == self._group:
                points.setdefault(point.name, []).append((distribution, point))
        for name, declared in points.items():
            from_where = " and ".join(_origin(*each) for each in declared)
            if len({point.value for _, point in declared}) > 1:
                self.discard(name, f"{from_where} give it different meanings. Uninstall one.")
            elif name in ours:
                text = "Warning: %s of %s is left out: virtuallab has a %s of this name"
                _LOG.warning(text, printable(name), from_where, self.kind)
            else:
                self._enter(name, *declared[0])

    def _enter(self, name: str, distribution: str, point: Any) -> None:
        """Import and register the plug-in of an entry point, or discard it if that fails."""
        before = dict(self._classes)
        try:
            # Output of an import must not become part of a schema or table that a command prints.
            with contextlib.redirect_stdout(sys.stderr):
                found = point.load()
            self._check(found)
            self.register(name)(found)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an import may even call sys.exit
            self._classes = before
            self.discard(name, f"{_origin(distribution, point)}: {in_a_line(error)}")

    def _check(self, found: Any) -> None:
        """Raise a TypeError for an unusable class, or one whose settings have unknown types."""
        self._check_class(found)
        if self.base is not None:
            get_type_hints(found)  # its settings are read by their types

    def _check_class(self, found: Any) -> None:
        """Raise a TypeError for an object that is no class of this kind, or lacks a method."""
        if self.base is None:
            return
        module, _, attribute = self.base.partition(":")
        base = getattr(importlib.import_module(module), attribute)
        if not (isinstance(found, type) and issubclass(found, base)):
            raise TypeError(f"{found!r} is not a class derived from {module}.{attribute}")
        if inspect.isabstract(found):
            missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
            raise TypeError(f"{found.__qualname__} does not define {missing}")


def _registered(source: bytes) -> dict[str, str]:
    """Return the docstrings, by name, of classes in a source that ``register(name)`` decorates."""
    return {
        call.args[0].value: ast.get_docstring(node) or ""
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "register"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def _origin(distribution: str, point: Any) -> str:
    return printable(f"entry point {point.name} = {point.value} of {distribution}")


RULES: Registry[Any] = Registry("rule", "virtuallab.subject.rules", "virtuallab.subject.rule:Rule")
OPTIMIZERS: Registry[Any] = Registry(
    "optimizer", "virtuallab.subject.optimizers", "virtuallab.subject.optimizer:Optimizer"
)
ARCHITECTURES: Registry[Any] = Registry(
    "architecture",
    "virtuallab.subject.architectures",
    "virtuallab.subject.architecture:Architecture",
    forms=(
        NameForm(
            "torchvision.NAME",
            r"torchvision\..+",
            "Classification model of torchvision with random initial weights, as in "
            "torchvision.vgg11.",
            "virtuallab.subject.architectures._torchvision_models:torchvision_architecture",
        ),
        NameForm(
            "MODULE:CLASS",
            r"[^:]+:[^:]+",
            "Module of torch that --plugin MODULE.py imports, as in mynet:Net.",
            "virtuallab.subject.architectures._own_modules:own_architecture",
        ),
    ),
)
LOSSES: Registry[Any] = Registry(
    "loss", "virtuallab.subject.losses", "virtuallab.subject.loss:Loss"
)
CURRICULA: Registry[Any] = Registry(
    "curriculum",
    "virtuallab.subject.curricula",
    "virtuallab.subject.curriculum:Curriculum",
    plural="curricula",
)
SCHEDULES: Registry[Any] = Registry(
    "schedule", "virtuallab.subject.schedules", "virtuallab.subject.schedule:LearningRateSchedule"
)
TASKS: Registry[Any] = Registry("task", "virtuallab.subject.tasks", "virtuallab.subject.task:Task")
NULL_MODELS: Registry[Any] = Registry(
    "null model", "virtuallab.subject.nulls", "virtuallab.subject.null:NullModel"
)
DEVICES: Registry[Any] = Registry(
    "device", "virtuallab.probes.devices", "virtuallab.probes.device:Device"
)
NOISE_MODELS: Registry[Any] = Registry(
    "noise model",
    "virtuallab.probes.noise.models",
    "virtuallab.probes.noise.noise_model:NoiseModel",
)
INDICATORS: Registry[Any] = Registry(
    "indicator",
    "virtuallab.probes.readouts.indicators",
    "virtuallab.probes.readouts.indicator:Indicator",
)
STATISTICS: Registry[Any] = Registry(
    "statistic",
    "virtuallab.probes.statistics.optional",
    "virtuallab.probes.statistics.statistic:Statistic",
)
CLASSIFIERS: Registry[Any] = Registry(
    "classifier", "virtuallab.decoder.classifiers", "virtuallab.decoder.classifier:Classifier"
)
CONTROLS: Registry[Any] = Registry(
    "control", "virtuallab.decoder.controls", "virtuallab.decoder.controls.common.control:Control"
)
REGISTRIES = (
    RULES,
    OPTIMIZERS,
    ARCHITECTURES,
    TASKS,
    LOSSES,
    CURRICULA,
    SCHEDULES,
    NULL_MODELS,
    DEVICES,
    NOISE_MODELS,
    INDICATORS,
    STATISTICS,
    CLASSIFIERS,
    CONTROLS,
)


def registry_of(kind: str) -> Registry[Any]:
    """Return the registry of a kind of plug-in, ``"rule"``."""
    return next(each for each in REGISTRIES if each.kind == kind)
