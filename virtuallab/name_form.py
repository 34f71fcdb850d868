"""Forms of names that say where a class is found, beside the names of registered plug-ins."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class NameForm:
    """Form of names by which classes are found that no plug-in registers.

    Parameters
    ----------
    form : str
        As lists show it, ``"torchvision.NAME"``.
    pattern : str
        Regular expression of such names.
    doc : str
        One line about what is found.
    finder : str
        Function that returns the class of a name, ``"package.module:function"``. It is imported
        when such a name is looked up, and raises UnknownName if there is no such class.
    """

    form: str
    pattern: str
    doc: str
    finder: str

    def find(self, name: str) -> Any:
        """Return the class of this name."""
        module, _, function = self.finder.partition(":")
        return getattr(importlib.import_module(module), function)(name)
