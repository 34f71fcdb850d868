"""Commands on protocols: their options, output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest

from tests.cli.calls import called_with, invoke, options_of
from tests.protocol.texts import small
from virtuallab.errors import UserError
from virtuallab.lab.planning import validation
from virtuallab.protocol import STARTER
from virtuallab.protocol.reading import read


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_options_of_plan_are_passed() -> None:
    words = ["plan", "p.yaml", "--set", "a=1", "--workers", "2"]
    assert options_of("plan") <= {*words}
    called_with(words, Path("p.yaml"), ["a=1"], workers=2, verbose=True)
    called_with(["plan", "p.yaml"], Path("p.yaml"), (), workers=None, verbose=True)


def test_options_of_search_are_passed() -> None:
    words = [
        "search",
        "p.yaml",
        "--set",
        "a=1",
        "--journal",
        "j",
        "--workers",
        "2",
        "--device",
        "cuda",
        "--scheduler",
        "local",
    ]
    assert options_of("search") <= {*words}
    called_with(
        words,
        Path("p.yaml"),
        ["a=1"],
        storage=Path("j"),
        workers=2,
        device="cuda",
        scheduler="local",
        verbose=True,
    )
    called_with(
        ["search", "p.yaml"],
        *(Path("p.yaml"), ()),
        storage=None,
        workers=None,
        device="cpu",
        scheduler=None,
        verbose=True,
    )


def test_init_writes_the_starter_and_names_the_next_command() -> None:
    done = invoke("init")
    assert done.output == "protocol.yaml written. Next: virtuallab validate protocol.yaml\n"
    assert Path("protocol.yaml").read_text("utf-8") == STARTER.read_text("utf-8")
    again = invoke("init")
    assert isinstance(again.exception, UserError), "an existing file is not replaced"


def test_valid_protocols_are_named_one_a_line() -> None:
    for name in ("a.yaml", "b.yaml"):
        Path(name).write_text(small(), "utf-8")
    done = invoke("validate", "a.yaml", "b.yaml", "--syntax")
    assert (done.exit_code, done.output) == (0, "a.yaml: valid\nb.yaml: valid\n")


def test_every_error_is_a_line_on_standard_error_and_the_exit_code_is_2() -> None:
    Path("a.yaml").write_text(small(("seed: ", "sed: ")), "utf-8")
    Path("b.yaml").write_text(small(), "utf-8")
    done = invoke("validate", "a.yaml", "b.yaml", "--syntax")
    assert (done.exit_code, done.stdout) == (2, "b.yaml: valid\n")
    first, *_ = done.stderr.splitlines()
    assert first.startswith("a.yaml:")
    assert "sed: unknown key" in done.stderr
    assert "b.yaml" not in done.stderr


@pytest.mark.parametrize(("option", "module"), [("--syntax", read), ("--no", validation)])
def test_networks_are_built_unless_only_the_syntax_is_checked(option: str, module: object) -> None:
    words = ["validate", "a.yaml", "b.yaml", "--set", "a=1", "--syntax"]
    assert options_of("validate") <= {*words}
    with mock.patch.object(module, "faults_in", return_value=[]) as function:
        done = invoke(*(words if option == "--syntax" else words[:-1]))
    assert done.exit_code == 0
    function.assert_called_once_with([Path("a.yaml"), Path("b.yaml")], ["a=1"])


def test_list_prints_kinds_then_plugins_then_the_page_of_one() -> None:
    kinds, rules, page = (
        invoke("list", *words).output for words in ([], ["rules"], ["rules", "backprop"])
    )
    assert "classifiers" in kinds
    assert "kernel_svm" not in rules
    assert "feedback_alignment" in rules
    assert "Backpropagation" in page
    assert "feedback_alignment" not in page


def test_a_plugin_that_does_not_exist_is_named_with_the_nearest_one() -> None:
    done = invoke("list", "rules", "backprob")
    assert isinstance(done.exception, UserError)
    assert "backprob" in str(done.exception)
    assert "Did you mean 'backprop'?" in str(done.exception)


def test_schema_prints_a_json_document_with_one_line_break_at_its_end() -> None:
    done = invoke("schema")
    assert {"name", "subjects", "probes"} <= json.loads(done.output)["properties"].keys()
    assert done.output.endswith("}\n")
    assert not done.output.endswith("\n\n")
