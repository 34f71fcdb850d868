"""Deferred import of heavy libraries, until one of their attributes is used."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """A module whose code is run at the first access to an attribute that the code defines.

    The standard library's ``LazyLoader`` runs the code at the access to any attribute, and a second
    ``import torch`` accesses ``__spec__``.
    """

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        self.__class__ = ModuleType  # type: ignore[assignment]  # an ordinary module from here on
        if spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations
        try:
            spec.loader.exec_module(self)
        except BaseException:
            sys.modules.pop(spec.name, None)
            raise
        return getattr(self, name)


def defer(*libraries: str) -> None:
    """Defer ``import LIBRARY`` until the first access to an attribute of the library.

    Names and settings of plug-ins can then be read without torch, in modules with a plain
    ``import torch``; ``from torch import Tensor`` accesses an attribute, and imports it at once.
    Libraries that are imported already, or are not installed, are not changed.

    Parameters
    ----------
    *libraries : str
        Top-level modules.
    """
    for name in libraries:
        spec = None if name in sys.modules else importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            continue
        module = _Deferred(name)
        module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
        sys.modules[name] = module  # without __path__: `import torch.nn` accesses it
