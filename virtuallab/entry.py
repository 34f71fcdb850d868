"""Execution of a command as a process: its streams, exit code and error messages.

Output cannot stop a command: a character that the terminal cannot show is replaced, and after its
reader has closed a pipe (``virtuallab report NAME.zarr | head -1``) the command continues to its
end.
"""

from __future__ import annotations

import codecs
import gc
import io
import logging
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from virtuallab.errors import Interrupted, VirtuallabError, VirtuallabWarning
from virtuallab.installed import pass_over_malformed
from virtuallab.text import brief

_TRACEBACK = "VIRTUALLAB_TRACEBACK"  # if set, tracebacks and all warnings are shown

# Replacements of characters that commands print, for encodings without them.
_PLAIN = {
    "\u00a0": " ",
    "\u2009": " ",
    "\u2013": "-",
    "\u2014": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2026": "...",
    "\u2212": "-",
    "\u00b1": "+-",
    "\u00b5": "u",
    "\u03bc": "u",
    "\u00d7": "x",
}
_NEAREST = "virtuallab.nearest"


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """Return similar characters for those that an encoding lacks, or question marks."""
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in lost), error.end


codecs.register_error(_NEAREST, _nearest)


def run_command(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; no exception is raised.

    The message of a :class:`~virtuallab.errors.VirtuallabError` is printed on standard error. Of
    any other exception one line is printed, and the traceback is written to a file.

    Parameters
    ----------
    command : callable
        Without arguments; may raise ``SystemExit``.
    """
    # Figures are drawn without a screen, also if a notebook that started this process has set
    # another backend, which matplotlib may refuse when it is imported.
    os.environ["MPLBACKEND"] = "agg"
    pass_over_malformed()
    with _lasting("stdout", _NEAREST) as out, _lasting("stderr", "backslashreplace"), _own_only():
        code = _code_of(command)
        if code == Interrupted.exit_code and not os.environ.get(_TRACEBACK):
            # Threads of zarr that were reading have failed, which asyncio would report at exit.
            logging.getLogger("asyncio").disabled = True
        if out is None:
            return code
        sys.stdout.flush()
        if out.failure is None or isinstance(out.failure, BrokenPipeError):
            return code
        _tell(f"what this command printed is not complete: {out.failure.strerror}.")
        return code or 1


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable garbage collection within the block, and of its objects at the end of the process.

    For commands of a few seconds, a quarter of whose time garbage collection of imported modules
    would take.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _code_of(command: Callable[[], object]) -> int:
    try:
        command()
    except VirtuallabError as error:
        _tell(str(error))
        return error.exit_code
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        if code == Interrupted.exit_code:  # typer exits without a message on an interruption
            _tell("stopped.")
        return code
    except KeyboardInterrupt:
        _tell("stopped.")
        return Interrupted.exit_code
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            traceback.print_exc()
        else:
            _tell(_unexpected(error))
        return 1
    return 0


def _unexpected(error: Exception) -> str:
    """Return one line on an error, with the place of its traceback."""
    lines = str(error).splitlines() or [""]
    first_line = f"{type(error).__name__}: {lines[0]}".rstrip(": ")
    if isinstance(error, MemoryError):
        what = "there is not enough memory for this."
    elif isinstance(error, OSError):
        what = f"the system refused: {first_line}."
    else:
        what = f"this is a bug in virtuallab, please report it: {first_line}."
    return f"{what} What is stored is kept. {_kept_traceback(error)}"


def _kept_traceback(error: Exception) -> str:
    """Write the traceback to a temporary file, and return a sentence with its path."""
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="virtuallab-",
            suffix=".log",
            encoding="utf-8",
            errors="backslashreplace",
            delete=False,
        ) as file:
            file.write(text)
    except OSError:
        return f"Set {_TRACEBACK}=1 to see the traceback."
    return f"The traceback is in {file.name}."


def _tell(text: str) -> None:
    print(brief(text), file=sys.stderr, flush=True)


@contextmanager
def _own_only() -> Iterator[None]:
    """Show warnings of virtuallab only, one line each; those of libraries are for developers.

    Python's options (``-W``, ``PYTHONWARNINGS``) and VIRTUALLAB_TRACEBACK show all warnings.
    """
    if sys.warnoptions or os.environ.get(_TRACEBACK):
        yield
        return
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the processes that this one starts

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        if issubclass(category, VirtuallabWarning):
            _tell(f"Warning: {message}")

    before, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = before
        del os.environ["PYTHONWARNINGS"]


class _Outlet(io.RawIOBase):
    """A file that accepts all data, and keeps the error if they cannot be written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        if self.failure is None:
            try:
                return os.write(self._descriptor, data)
            except OSError as error:
                self.failure = error
        return len(data)


@contextmanager
def _lasting(name: str, errors: str) -> Iterator[_Outlet | None]:
    """Replace a standard stream within the block by one to which writing does not fail.

    Parameters
    ----------
    name : str
        ``"stdout"`` or ``"stderr"``.
    errors : str
        Handler of characters that the stream's encoding lacks.
    """
    before: TextIO | None = getattr(sys, name)
    if before is None:  # closed by the process that started this one
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            setattr(sys, name, nowhere)
            try:
                yield None
            finally:
                setattr(sys, name, None)
        return
    try:
        descriptor = before.fileno()
    except (OSError, ValueError):  # captured by a calling program
        yield None
        return
    before.flush()
    outlet = _Outlet(descriptor)
    stream = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=before.encoding,
        errors=errors,
        line_buffering=outlet.isatty() or name == "stderr",
    )
    setattr(sys, name, stream)
    try:
        yield outlet
    finally:
        stream.flush()
        setattr(sys, name, before)
