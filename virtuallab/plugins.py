"""Plug-ins from a file or a module that a user names: ``--plugin mine.py``.

Importing it registers its decorated classes. Worker processes import it as well.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from virtuallab.errors import UserError
from virtuallab.installed import in_a_line
from virtuallab.text import printable

_VARIABLE = "VIRTUALLAB_PLUGINS"  # inherited by worker processes


def load(names: Iterable[str]) -> None:
    """Import plug-ins in this process, and in worker processes that it starts.

    Parameters
    ----------
    names : iterable of str
        Files, ``path/mine.py``, or importable modules, ``package.mine``.

    Raises
    ------
    UserError
        If one of them is not there or cannot be imported.
    """
    names = [_absolute(name) for name in names]
    for name in names:
        _import(name)
    if names:
        os.environ[_VARIABLE] = os.pathsep.join(dict.fromkeys([*_named(), *names]))


def load_inherited() -> None:
    """Import the plug-ins of the process that started this one."""
    for name in _named():
        _import(name)


def imported(module: str) -> ModuleType | None:
    """Return a module that was imported as a plug-in; None if no plug-in has this name.

    Parameters
    ----------
    module : str
        Name of the module; that of a file is its name without ``.py``.

    Returns
    -------
    module or None
    """
    named = [Path(name).stem if name.endswith(".py") else name for name in _named()]
    return sys.modules.get(module) if module in named else None


def _named() -> list[str]:
    return [name for name in os.environ.get(_VARIABLE, "").split(os.pathsep) if name]


def _absolute(name: str) -> str:
    return str(Path(name).expanduser().absolute()) if name.endswith(".py") else name


def _import(name: str) -> None:
    try:
        # Output of an import must not become part of the output of a command.
        with contextlib.redirect_stdout(sys.stderr):
            if name.endswith(".py"):
                _import_file(Path(name))
            else:
                importlib.import_module(name)
    except (KeyboardInterrupt, UserError):
        raise
    except BaseException as error:  # an import may even call sys.exit
        raise UserError(
            f"--plugin {printable(name)} cannot be imported: {in_a_line(error)}"
        ) from None


def _import_file(path: Path) -> ModuleType:
    """Import a file as a module of its own name, so that its classes can be pickled by name."""
    if not path.is_file():
        raise UserError(f"--plugin {printable(str(path))}: there is no such file.")
    known = sys.modules.get(path.stem)
    if known is not None:
        if Path(getattr(known, "__file__", None) or "").resolve() == path.resolve():
            return known
        raise UserError(
            f"--plugin {printable(str(path))}: a module {path.stem!r} is there already. Rename the "
            "file."
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module
