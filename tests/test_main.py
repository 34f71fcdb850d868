from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# The commands are replaced: what counts is when the interruption comes.
PRELUDE = """
import os, signal, sys, time, types
sys.unraisablehook = sys.__unraisablehook__
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)
"""
WHILE_IMPORTING = """
class Imported:
    def find_spec(self, name, *_):
        if name == "virtuallab.cli":
            interrupt()
sys.meta_path.insert(0, Imported())
"""
COMMAND = """
def main():
    {}
sys.modules["virtuallab.cli"] = types.SimpleNamespace(main=main)
"""
IN_A_COMMAND = COMMAND.format("interrupt()")
# As compiled code does that calls Python and cannot pass on what it raises.
SWALLOWED = """
class Swallows:
    def __del__(self):
        interrupt()
""" + COMMAND.format("Swallows(); time.sleep(10); print('went on')")


def interrupted(code: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{PRELUDE}{code}\nfrom virtuallab.__main__ import main\nmain()"],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("code", [WHILE_IMPORTING, IN_A_COMMAND, SWALLOWED])
def test_an_interruption_is_a_line_and_130_whenever_it_comes(code):
    assert interrupted(code) == (130, "", "stopped.\n")


def test_a_second_interruption_ends_at_once():
    stubborn = COMMAND.format(
        "\n    try: interrupt()\n    except KeyboardInterrupt: print('stops', flush=True)\n"
        "    interrupt(); print('still there')"
    )
    assert interrupted(stubborn) == (-signal.SIGINT, "stops\n", "")


def test_an_interruption_after_the_command_is_no_traceback():
    late = COMMAND.format("import atexit; atexit.register(interrupt)")
    assert interrupted(late) == (-signal.SIGINT, "", "")


def test_who_ignores_interruptions_goes_on_ignoring_them():
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    ends = COMMAND.format("interrupt(); print('done')")
    assert interrupted(ignoring + ends) == (0, "done\n", "")
