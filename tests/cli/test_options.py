"""Options that several commands have."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import typer

from tests.cli.calls import invoke
from virtuallab.cli import app
from virtuallab.cli.options import as_path


def test_a_path_is_expanded_and_one_that_cannot_be_is_a_wrong_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert as_path("~/runs/a.zarr") == Path("/home/me/runs/a.zarr")
    assert as_path(Path("b.yaml")) == Path("b.yaml")
    with pytest.raises(typer.BadParameter, match="no home folder of 'nobody-here'"):
        as_path("~nobody-here/a")
    done = invoke("plan", "~nobody-here/a.yaml")
    assert done.exit_code == 2
    assert "invalid value for 'protocol': ~nobody-here/a.yaml: " in done.stderr.lower()


def test_every_path_of_every_command_is_expanded() -> None:
    paths = {
        f"{command.callback.__name__}: {parameter.name}": parameter.annotation
        for command in app.registered_commands
        if command.callback is not None
        for parameter in inspect.signature(command.callback).parameters.values()
        if "Path" in str(parameter.annotation)
    }
    assert {"init: path", "validate: protocols", "identify: save", "run: store"} <= paths.keys()
    for name, annotation in paths.items():
        assert annotation.__metadata__[0].parser is as_path, name


def test_the_home_folder_is_meant_in_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = invoke("init", "~/mine.yaml")
    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.yaml", "schema"]


def test_an_option_means_the_same_in_every_command() -> None:
    helps: dict[str, set[str]] = {}
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command in commands.values():
        for parameter in command.params:
            for option in parameter.opts:
                if option in ("--set", "--store", "--subjects", "--device", "--plugin"):
                    helps.setdefault(option, set()).add(parameter.help)
    assert {option: len(texts) for option, texts in helps.items()} == dict.fromkeys(helps, 1)
    assert len(helps) == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "'--workers' / '-w'"),
        (["-w", "two"], "'--workers' / '-w'"),
        (
            ["--device", "tpu"],
            "'tpu'. Did you mean 'cpu'? Known: auto, cpu, cuda.",
        ),
        (["--device", "gpu"], "'gpu'. Did you mean 'cuda'? Known: auto, cpu, cuda."),
        (["--sett", "a=1"], "--sett"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_runs(words: list[str], message: str) -> None:
    done = invoke("run", "there_is_no_such_file.yaml", *words)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
