"""The process of the command ``virtuallab``, also started by ``python -m virtuallab``.

An interruption (Ctrl-C) ends it with a line and exit code 130, from the first imports on: the
commands, whose imports take longest, are imported inside. A second interruption ends the process at
once, as the system does it: what is stored survives that.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

_CODE = 130  # what a shell expects of a program that was interrupted


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    # Another handler, or none (nohup), is the choice of whoever started this process.
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _passed_on
    try:
        from virtuallab.cli import main as command

        command()
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        sys.exit(_CODE)
    finally:
        if ours:  # Python's own end would answer an interruption with a traceback
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.default_int_handler(number, frame)


def _passed_on(lost: sys.UnraisableHookArgs) -> None:
    """Interrupt once more where compiled code has swallowed the interruption."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    import _thread
    import threading

    signal.signal(signal.SIGINT, _interrupt)
    # Not from here: an exception of this function would be swallowed too.
    threading.Timer(0.01, _thread.interrupt_main).start()


if __name__ == "__main__":
    main()
