"""Paths in the form in which users write them."""

from __future__ import annotations

from pathlib import Path

from virtuallab.errors import UserError


def expanded(path: str | Path) -> Path:
    """Return a path with a leading ``~`` or ``~NAME`` replaced by that home folder.

    A shell does the same, but not within quotes or after ``--option=``. ``.`` and paths that end in
    ``..`` become absolute, because files are named after the folder and written beside it.

    Raises
    ------
    UserError
        If the path is empty, or there is no home folder of that name.

    Examples
    --------
    >>> expanded("runs/mine.zarr").as_posix()
    'runs/mine.zarr'
    """
    if path == "":
        raise UserError("the path is empty.")
    if isinstance(path, str) and not path.startswith("~"):  # "./~" is a folder of that name
        given = Path(path)
        return given.resolve() if given.name in ("", "..") else given
    try:
        return Path(path).expanduser()
    except RuntimeError:
        name = Path(path).parts[0]
        raise UserError(
            f"{path}: there is no home folder of {name[1:]!r} here. For a folder that is really "
            f"called {name}, write ./{path}."
        ) from None
