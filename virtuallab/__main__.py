"""Entry point of the command ``virtuallab`` and of ``python -m virtuallab``.

An interruption (Ctrl-C) ends the process with one line and exit code 130, also during imports: the
commands, which import most, are imported inside the handler. A second interruption ends the process
immediately; stored results are kept.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

_CODE = 130  # exit code of an interrupted program, by convention of shells


def main() -> None:
    """Run the command that ``sys.argv`` names."""
    # Another handler, or none (nohup), was set by the process that started this one.
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _interrupt_again
    try:
        from virtuallab.cli import main as command

        command()
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        sys.exit(_CODE)
    finally:
        if ours:  # an interruption while Python exits would print a traceback
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.default_int_handler(number, frame)


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Interrupt once more if compiled code has swallowed the interruption."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    import _thread
    import threading

    signal.signal(signal.SIGINT, _interrupt)
    # From another thread: an exception raised here would be swallowed too.
    threading.Timer(0.01, _thread.interrupt_main).start()


if __name__ == "__main__":
    main()
