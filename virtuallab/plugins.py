"""Plug-ins from a file or a module that a user names: ``--plugin mine.py``.

Importing it registers its decorated classes. Worker processes import it as well; those of a cluster
are sent the text of a file, because they may be on another machine.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
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


Shipped = tuple[str, bytes | None]  # the name of a plug-in, and its text if it is a file


def shipped() -> tuple[Shipped, ...]:
    """Return the plug-ins of this process as they are sent to the workers of a cluster."""
    return tuple(
        (name, Path(name).read_bytes() if name.endswith(".py") else None) for name in _named()
    )


def load_shipped(plugins: Iterable[Shipped]) -> None:
    """Import plug-ins that another process has sent, each once.

    Parameters
    ----------
    plugins : iterable of (str, bytes or None)
        As :func:`shipped` returns them. A file is written to a temporary folder, unless it is on
        this machine too.

    Raises
    ------
    UserError
        If one cannot be imported, or this process has imported another version of it.
    """
    for name, text in plugins:
        before = _texts.setdefault(name, text)
        if before != text:
            raise UserError(
                f"--plugin {printable(name)} was changed after a worker had imported it. Restart "
                "the workers."
            )
        try:
            load([name if text is None else str(_file_of(name, text))])
        except UserError:
            del _texts[name]
            raise


_texts: dict[str, bytes | None] = {}


def _file_of(name: str, text: bytes) -> Path:
    """Return a file of this machine with the text of a plug-in."""
    with contextlib.suppress(OSError):
        if Path(name).read_bytes() == text:
            return Path(name)
    file = Path(_folder().name) / Path(name).name
    if not file.is_file():
        file.write_bytes(text)
    return file


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="virtuallab-")  # removed when the process ends


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
