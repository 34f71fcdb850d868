"""Paths in the form in which users write them."""

from __future__ import annotations

from pathlib import Path

from virtuallab.errors import UserError


def expanded(path: object, name: str = "path") -> Path:
    """Return a path with a leading ``~`` or ``~NAME`` replaced by that home folder.

    A shell does the same, but not within quotes or after ``--option=``. ``.`` and paths that end in
    ``..`` become absolute, because files are named after the folder and written beside it.

    Parameters
    ----------
    path : str or Path
    name : str
        Name of the argument, for messages.

    Raises
    ------
    UserError
        If the path is empty, or there is no home folder of that name.
    TypeError
        If it is no path, but an opened experiment or a recording.

    Examples
    --------
    >>> expanded("runs/mine.zarr").as_posix()
    'runs/mine.zarr'
    """
    if not isinstance(path, str | Path):
        kind = type(path)
        found = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}".removeprefix("builtins.")
        raise TypeError(
            f"{name}: should be a path of a file or folder, found {found}. Give the path that it "
            "was read from, or write it to a file first."
        )
    if path == "":
        raise UserError("the path is empty.")
    if isinstance(path, str) and not path.startswith("~"):  # "./~" is a folder of that name
        given = Path(path)
        return given.resolve() if given.name in ("", "..") else given
    try:
        return Path(path).expanduser()
    except RuntimeError:
        home = Path(path).parts[0]
        raise UserError(
            f"{path}: there is no home folder of {home[1:]!r} here. For a folder that is really "
            f"called {home}, write ./{path}."
        ) from None
