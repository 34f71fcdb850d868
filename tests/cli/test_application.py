"""The application: its commands, the version, and plug-ins from a file."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import typer

import virtuallab as vl
from tests.cli.calls import invoke
from virtuallab import plugins
from virtuallab.cli import app
from virtuallab.cli.application import show
from virtuallab.errors import UserError

PANELS = {
    "Protocols": ["init", "validate", "plan", "search", "list", "schema"],
    "Experiments": ["run", "status", "info", "probe", "decode", "report", "export"],
    "Recording designs": ["compare", "power"],
    "Recordings": ["identify", "score"],
}


def test_commands_are_listed_in_panels_in_the_order_of_a_study() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    panels: dict[str, list[str]] = {}
    for name, command in commands.items():
        panels.setdefault(command.rich_help_panel, []).append(name)
    assert panels == PANELS
    assert list(panels) == list(PANELS)


def test_every_function_of_the_package_is_a_command_but_reading() -> None:
    every = [name for names in PANELS.values() for name in names]
    assert {*vl.__all__} - {*every} == {"Protocol", "open"}


def test_the_version_is_that_of_the_package() -> None:
    done = invoke("--version")
    assert (done.exit_code, done.output) == (0, f"virtuallab {vl.__version__}\n")


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_names_every_command(words: list[str]) -> None:
    text = invoke(*words).output
    assert all(name in text for names in PANELS.values() for name in names)
    assert "identify the learning rule" in text


def test_every_command_says_what_it_does_and_what_each_option_is() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert inspect.cleandoc(command.help).endswith("."), name
        for parameter in command.params:
            assert parameter.help, (name, parameter.name)


def test_a_plugin_is_loaded_before_its_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[list[str]] = []
    monkeypatch.setattr(plugins, "load", lambda names: loaded.append(list(names)))
    done = invoke("list", "rules", "--plugin", "a.py", "--plugin", "my.module")
    assert done.exit_code == 0
    invoke("list", "rules")
    assert loaded == [["a.py", "my.module"], []]


def test_a_plugin_that_does_not_exist_stops_the_command(tmp_path: Path) -> None:
    file = tmp_path / "none.py"
    done = invoke("list", "--plugin", str(file))
    assert isinstance(done.exception, UserError)
    assert str(done.exception) == f"--plugin {file}: there is no such file."
    assert done.output == ""


def test_a_text_is_printed_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    show("two words")
    assert capsys.readouterr() == ("two words\n", "")
