"""Invocation of commands whose functions of Python are replaced by mocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest import mock

import typer
from typer.testing import CliRunner, Result

import virtuallab as vl
from virtuallab.cli import app


def invoke(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, words)


def called_with(words: Sequence[str], *arguments: Any, **settings: Any) -> None:
    """Check that a command calls its function once, with these values.

    The mock has the parameters of the function, so that a wrong name fails.
    """
    function = mock.create_autospec(getattr(vl, words[0]))
    with mock.patch.dict(vl.__dict__, {words[0]: function}):
        done = invoke(*words)
    assert done.exception is None, done.output
    function.assert_called_once_with(*arguments, **settings)


def options_of(command: str) -> set[str]:
    """Return the long names of the options of a command, without those that every command has."""
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    names = {p.opts[0] for p in found.params if p.param_type_name == "option"}
    return names - {"--plugin", "--help"}
