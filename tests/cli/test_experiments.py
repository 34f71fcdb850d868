"""Commands on experiments: their options reach the functions of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tests.cli.calls import called_with, invoke, options_of
from virtuallab.errors import UserError
from virtuallab.lab import status as inspection

HERE: dict[str, None] = {"workers": None, "scheduler": None}
DEFAULTS: dict[str, tuple[list[str], tuple[Any, ...], dict[str, Any]]] = {
    "run": (["p.yaml"], (Path("p.yaml"), ()), {"store": None, "device": "cpu", **HERE}),
    "probe": (["a.zarr"], (Path("a.zarr"), None, ()), {"remove": (), **HERE}),
    "decode": (["a.zarr"], (Path("a.zarr"), None, ()), {"partial": False, **HERE}),
    "report": (["a.zarr"], (Path("a.zarr"), None), {}),
    "export": (["a.zarr", "b.zarr"], (Path("a.zarr"), Path("b.zarr")), {}),
}


@pytest.mark.parametrize("command", DEFAULTS)
def test_without_options_the_defaults_are_passed(command: str) -> None:
    words, arguments, settings = DEFAULTS[command]
    called_with([command, *words], *arguments, **settings, verbose=True)


def test_options_of_run_are_passed() -> None:
    words = [
        "run",
        "p.yaml",
        "--set",
        "a=1",
        "-s",
        "b.c=[1,2]",
        "--store",
        "x.zarr",
        "--workers",
        "3",
        "--device",
        "cuda",
        "--scheduler",
        "tcp://head:8786",
    ]
    assert options_of("run") <= {*words}
    called_with(
        words,
        Path("p.yaml"),
        ["a=1", "b.c=[1,2]"],
        store=Path("x.zarr"),
        workers=3,
        device="cuda",
        scheduler="tcp://head:8786",
        verbose=True,
    )


def test_options_of_probe_are_passed() -> None:
    words = ["probe", "a.zarr", "--protocol", "p.yaml", "--set", "a=1", "--workers", "2"]
    words += ["--scheduler", "local"]
    here = {"workers": 2, "scheduler": "local"}
    called_with(words, Path("a.zarr"), Path("p.yaml"), ["a=1"], remove=(), **here, verbose=True)
    removal = ["probe", "a.zarr", "--remove", "one", "--remove", "two"]
    assert options_of("probe") <= {*words, *removal}
    called_with(removal, Path("a.zarr"), None, (), remove=["one", "two"], **HERE, verbose=True)


@pytest.mark.parametrize("other", [["--protocol", "p.yaml"], ["--set", "a=1"]])
def test_probes_are_not_removed_and_implanted_by_one_command(other: list[str]) -> None:
    done = invoke("probe", "a.zarr", "--remove", "one", *other)
    assert isinstance(done.exception, UserError)
    assert str(done.exception) == "--remove cannot be combined with --protocol or --set."


def test_options_of_decode_are_passed() -> None:
    words = [
        "decode",
        "a.zarr",
        "--protocol",
        "p.yaml",
        "--set",
        "a=1",
        "--partial",
        "--workers",
        "2",
        "--scheduler",
        "local",
    ]
    here = {"workers": 2, "scheduler": "local"}
    assert options_of("decode") <= {*words}
    called_with(words, Path("a.zarr"), Path("p.yaml"), ["a=1"], partial=True, **here, verbose=True)


def test_options_of_report_are_passed() -> None:
    words = ["report", "a.zarr", "--output", "page.html"]
    assert options_of("report") <= {*words}
    called_with(words, Path("a.zarr"), Path("page.html"), verbose=True)


@pytest.mark.parametrize("verify", [True, False])
def test_status_prints_the_table_and_ends_with_0_where_nothing_is_damaged(verify: bool) -> None:
    function = mock.create_autospec(inspection.status, return_value=("the table", []))
    with mock.patch.object(inspection, "status", function):
        done = invoke("status", "a.zarr", *["--verify"] * verify)
    function.assert_called_once_with(Path("a.zarr"), verify=verify)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "the table\n", "")


def test_status_names_damaged_files_on_standard_error_and_ends_with_1() -> None:
    with mock.patch.object(inspection, "status", return_value=("table", ["a\x1b[31m", "b"])):
        done = invoke("status", "a.zarr")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "table\n", "a\\x1b[31m\nb\n")


def test_info_prints_what_the_experiment_holds() -> None:
    with mock.patch.object(inspection, "info", return_value="contents") as function:
        done = invoke("info", "a.zarr")
    function.assert_called_once_with(Path("a.zarr"))
    assert done.stdout == "contents\n"
