from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from virtuallab.entry import run_command
from virtuallab.errors import Interrupted, MachineError, UserError, VirtuallabWarning


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    monkeypatch.delenv("VIRTUALLAB_TRACEBACK", raising=False)
    monkeypatch.setattr(sys, "warnoptions", [])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserError("no \x1b[31m"), 2), (MachineError("full"), 1), (SystemExit(3), 3)],
)
def test_an_error_is_its_message_and_its_exit_code(error, code, capfd):
    assert run_command(raising(error)) == code
    out, err = capfd.readouterr()
    said = "" if isinstance(error, SystemExit) else f"{error}\n".replace("\x1b", "\\x1b")
    assert (out, err) == ("", said)


def test_what_an_interruption_broke_off_is_not_told(monkeypatch, capfd):
    asyncio = logging.getLogger("asyncio")
    monkeypatch.setattr(asyncio, "disabled", False)
    assert run_command(raising(Interrupted("stopped."))) == 130
    asyncio.error("Task exception was never retrieved")
    assert capfd.readouterr().err == "stopped.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(130)])  # the second is typer's
def test_an_interruption_is_said(error, capfd):
    assert run_command(raising(error)) == 130
    assert capfd.readouterr() == ("", "stopped.\n")


def test_a_message_stays_short_whatever_it_quotes(capfd):
    run_command(raising(UserError(f"no device is called {'[' * 200_000}.")))
    assert len(capfd.readouterr().err) < 200


def test_a_bug_is_one_line_and_its_traceback_is_kept(capfd, tmp_path):
    assert run_command(raising(KeyError("steps"))) == 1
    err = capfd.readouterr().err
    [log] = tmp_path.glob("virtuallab-*.log")
    assert err.startswith("this is a bug in virtuallab, please report it: KeyError: 'steps'.")
    assert err.count("\n") == 1
    assert str(log) in err
    assert "Traceback" in log.read_text()


def test_a_bug_is_shown_whole_when_asked(capfd, monkeypatch):
    monkeypatch.setenv("VIRTUALLAB_TRACEBACK", "1")
    assert run_command(raising(KeyError("steps"))) == 1
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"), [(MemoryError(), "not enough memory"), (OSError(5, "I/O"), "the system")]
)
def test_a_failing_machine_is_no_bug(error, words, capfd):
    assert run_command(raising(error)) == 1
    err = capfd.readouterr().err
    assert words in err
    assert "bug" not in err


def test_warnings_of_libraries_are_not_shown_and_our_own_are_a_line(capfd):
    def command() -> None:
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
        warnings.warn("broken \x1b plug-in", VirtuallabWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run_command(command) == 0
    assert capfd.readouterr().err == "Warning: broken \\x1b plug-in\n"
    assert "PYTHONWARNINGS" not in os.environ


def test_a_command_draws_without_a_screen():
    seen = []
    run_command(lambda: seen.append(os.environ["MPLBACKEND"]))
    assert seen == ["agg"]


PRINTS = "from virtuallab.entry import run_command; import sys\n{}\nsys.exit(run_command(command))"
SAYS = """\
def command():
    print("95\\u00a0% \\u00b1 \\u201cx\\u201d", "y" * 100_000)
    print("goes on to the end", file=sys.stderr)
"""


def process(code: str = SAYS, shell: str = "", **environment: str):
    words = [sys.executable, "-c", PRINTS.format(code)]
    if shell:
        words = ["bash", "-c", f'"$@" {shell}', "-", *words]
    return subprocess.run(
        words, capture_output=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_what_an_encoding_does_not_have_is_replaced(environment):
    done = process(**environment)
    assert done.returncode == 0
    assert done.stdout.startswith(b'95 % +- "x" yyy')


def test_latin_1_keeps_what_it_has():
    assert process(PYTHONIOENCODING="latin-1").stdout.startswith(b'95\xa0% \xb1 "x"')


@pytest.mark.parametrize(
    ("shell", "code"), [("| head -0; exit ${PIPESTATUS[0]}", 0), (">&-", 0), ("> /dev/full", 1)]
)
def test_a_command_goes_on_to_its_end_where_nobody_reads(shell, code):
    done = process(shell=shell)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
    assert b"goes on to the end" in done.stderr
    assert (b"not complete: No space left" in done.stderr) == (code == 1)
