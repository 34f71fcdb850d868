"""Let a heavy library be imported when something of it is first used."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """A module whose code is run when an attribute is asked for that only its code provides.

    The standard library's ``LazyLoader`` does not serve here: it runs the code at any attribute,
    and a second ``import torch`` looks at ``__spec__``.
    """

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        assert spec is not None
        assert spec.loader is not None
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on it is like any other
        if spec.submodule_search_locations is not None:
            self.__path__ = spec.submodule_search_locations
        try:
            spec.loader.exec_module(self)
        except BaseException:
            sys.modules.pop(spec.name, None)
            raise
        return getattr(self, name)


def defer(*libraries: str) -> None:
    """Make ``import LIBRARY`` cost nothing until an attribute of the library is asked for.

    Names and settings of plug-ins can then be read without torch, in modules that say plainly
    ``import torch``; ``from torch import Tensor`` asks for an attribute, and imports it at once.
    Libraries that are imported already, or are not installed, are left alone.

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
        sys.modules[name] = module  # it has no __path__: `import torch.nn` asks for it
