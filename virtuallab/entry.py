"""Run a command as a process: its streams, its exit code, and what it says when it fails.

The streams never stop the work: a character that the terminal cannot show is replaced, and when
nobody reads any more (``virtuallab report NAME.zarr | head -1``) the command goes on to its end.
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

_TRACEBACK = "VIRTUALLAB_TRACEBACK"  # set to anything: failures and warnings are shown as raised


# Signs that commands print, as they are written where an encoding does not have them.
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
    """Replace what an encoding does not have by what reads alike, or by a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in lost), error.end


codecs.register_error(_NEAREST, _nearest)


def run_command(command: Callable[[], object]) -> int:
    """Exit code of a command, after it has run; no exception leaves it.

    A :class:`~virtuallab.errors.VirtuallabError` is its message on standard error. Any other
    exception is one line there, and its traceback is kept in a file.

    Parameters
    ----------
    command : callable
        Returns nothing, or raises ``SystemExit``.
    """
    # Pages are drawn without a screen, whatever a notebook around this process draws with. Before
    # matplotlib is imported: it refuses a backend that it does not know.
    os.environ["MPLBACKEND"] = "agg"
    pass_over_malformed()
    with _lasting("stdout", _NEAREST) as out, _lasting("stderr", "backslashreplace"), _own_only():
        code = _code_of(command)
        if code == Interrupted.exit_code and not os.environ.get(_TRACEBACK):
            # What zarr was reading in threads of its own has failed; asyncio would say so at exit.
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
    """Collect no garbage within, nor of what was made within at the exit of the process.

    For commands of seconds: a quarter of their time would go into looking through what their
    imports made, which all stays in use.
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
        if code == Interrupted.exit_code:  # typer's answer to an interruption, without a word
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
    """Return one line: what failed, and where its traceback is."""
    lines = str(error).splitlines() or [""]
    said = f"{type(error).__name__}: {lines[0]}".rstrip(": ")
    if isinstance(error, MemoryError):
        what = "there is not enough memory for this."
    elif isinstance(error, OSError):
        what = f"the system refused: {said}."
    else:
        what = f"this is a bug in virtuallab, please report it: {said}."
    return f"{what} What is stored is kept. {_kept_traceback(error)}"


def _kept_traceback(error: Exception) -> str:
    """Write the traceback to a file in the temporary folder; say where it is."""
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
    """Show warnings of virtuallab alone, a line each; those of libraries are for developers.

    Python's own switches (``-W``, ``PYTHONWARNINGS``) show them all, as does VIRTUALLAB_TRACEBACK.
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
    """A file that takes whatever it is given, and remembers why it could not pass it on."""

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
    """Replace a standard stream by one to which writing never fails, until the block ends.

    Parameters
    ----------
    name : str
        ``"stdout"`` or ``"stderr"``.
    errors : str
        What becomes of a character that the stream's encoding does not have.
    """
    before: TextIO | None = getattr(sys, name)
    if before is None:  # closed by whoever started this process
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            setattr(sys, name, nowhere)
            try:
                yield None
            finally:
                setattr(sys, name, None)
        return
    try:
        descriptor = before.fileno()
    except (OSError, ValueError):  # captured by a program around this one
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
