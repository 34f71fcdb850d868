"""Write what a command hands over beside its answer: refused early, and never half-written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from virtuallab.errors import StoreError, UserError, VirtuallabError
from virtuallab.store.files.atomic_write import write_text, writing
from virtuallab.store.layout.location import enclosing_store

_PAGE = b'<meta name="generator" content="virtuallab">'  # near the top of every page of ours


def check_file(path: Path) -> None:
    """Refuse a place where no file can be written, before any work is done for it.

    Its folder may still be missing: commands make the folder of what they keep.

    Raises
    ------
    UserError
        If the place is a folder or a link, lies in a store or in something that is no folder, or
        may not be written.
    """
    is_device = path.exists() and not (path.is_file() or path.is_dir())
    if path.is_symlink() and not is_device:  # /dev/stdout is a link as well
        raise UserError(
            f"{path} is a link, through which nothing is written. Remove it, or choose another "
            "name."
        )
    if path.is_dir():
        raise UserError(f"{path} is a folder. Give the name of a file.")
    check_folder(path)
    if store := enclosing_store(path):
        raise UserError(f"{path} cannot be written: {store} is a store. Choose a place outside it.")


def check_page(path: Path) -> None:
    """Refuse a place as :func:`check_file` does, and also one where another file lies.

    Only a page that virtuallab wrote is replaced by a new one.

    Raises
    ------
    UserError
    """
    check_file(path)
    if path.is_file() and path.stat().st_size > 0 and not is_page(path):
        raise UserError(
            f"{path} is there already, and is not a page that virtuallab wrote. It was left alone: "
            "move it away, or choose another name."
        )


def is_page(path: Path) -> bool:
    """Return whether a page that virtuallab wrote lies at a place."""
    try:
        with path.open("rb") as file:
            return _PAGE in file.read(2000)
    except OSError:
        return False


def check_in_folder(path: Path) -> None:
    """Refuse a place as :func:`check_file` does, and also one whose folder does not exist.

    Raises
    ------
    UserError
    """
    check_file(path)
    if not path.parent.exists():
        raise UserError(f"{path} cannot be written: there is no folder {path.parent}. Make it.")


def check_absent(path: Path) -> None:
    """Refuse a place where something lies, which a new file would replace.

    Raises
    ------
    UserError
    """
    if path.exists() or path.is_symlink():
        raise UserError(f"{path} exists and was left alone. Choose another name.")


def check_folder(path: Path) -> None:
    """Refuse a place in whose folder nothing can be written.

    Raises
    ------
    UserError
        If what should be a folder is none, or may not be written.
    """
    for folder in path.absolute().parents:
        if folder.exists():
            break
    if not folder.is_dir():
        raise UserError(f"{path} cannot be written: {folder} is not a folder.")
    # A device in a folder that may not be written can itself be written.
    place = path if path.exists() and not path.is_file() else folder
    if not os.access(place, os.W_OK):
        raise StoreError(f"{path} cannot be written: there is no permission to write in {folder}.")


def write_file(path: Path, text: Callable[[], str]) -> None:
    """Write a file so that it is there whole or not at all.

    Parameters
    ----------
    path : Path
    text : callable
        Makes its content.

    Raises
    ------
    VirtuallabError
        If it cannot be written. An older file is then as it was.
    """
    check_in_folder(path)
    content = text()
    with writing(path, resumable=False):
        write_text(path, content)


def write_page(path: Path, text: Callable[[], str]) -> None:
    """Write a page as :func:`write_file` writes a file, in place of nothing but an older page.

    Raises
    ------
    VirtuallabError
        If it cannot be written. What lay there is then as it was.
    """
    check_page(path)
    write_file(path, text)


def write_each(*writers: Callable[[], None]) -> None:
    """Write every output that can be written, then raise the first error.

    Raises
    ------
    VirtuallabError
    """
    errors: list[VirtuallabError] = []
    for write in writers:
        try:
            write()
        except VirtuallabError as error:
            errors.append(error)
    if errors:
        raise errors[0]
