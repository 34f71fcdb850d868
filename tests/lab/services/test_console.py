"""The console of a command: silent unless asked, with a callback of progress."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from virtuallab.lab.services.console import console_of, progress_of


def told(stage: str, done: int, total: int) -> None:
    """Do nothing with the progress."""


@pytest.mark.parametrize(("verbose", "text"), [(False, ""), (True, "a line\n")])
def test_a_command_prints_only_where_it_is_asked_to(
    verbose: bool, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console_of(verbose).print("a line")
    assert capsys.readouterr().out == text


def test_a_console_of_ones_own_is_the_one_on_which_a_command_prints() -> None:
    own = Console(file=io.StringIO())
    assert console_of(own) is own


def test_the_callback_of_progress_is_found_at_the_console() -> None:
    assert progress_of(console_of(False, told)) is told
    assert progress_of(console_of(Console(quiet=True), told)) is told


def test_a_callback_holds_for_one_command_only() -> None:
    own = Console(quiet=True)
    console_of(own, told)
    assert progress_of(console_of(own)) is None


def test_any_other_console_has_no_callback() -> None:
    assert progress_of(Console(quiet=True)) is None
