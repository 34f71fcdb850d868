"""Errors cross from worker processes as they were raised there."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from virtuallab import errors

ROOT = Path(__file__).parents[1]
RAISED = [
    errors.UserError("change it"),
    errors.StoreError("no such store"),
    errors.MissingLibrary("pynwb", "to read NWB files", "nwb"),
    errors.UnknownName("rule", "adm", ["adam", "sgd"]),
    errors.BrokenPlugin("rule", "mine", "its module is missing"),
    errors.ProtocolError([errors.Fault("a.yaml", 3, "seed", "missing key.")]),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: errors.VirtuallabError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.exit_code == error.exit_code


@pytest.mark.parametrize("extra", ["audio", "nwb"])
def test_an_extra_is_installed_as_the_pages_say(extra: str) -> None:
    said = str(errors.MissingLibrary("library", "to read", extra))
    command = said.partition("Install it with: ")[2].partition(" (")[0]
    pages = [path.read_text("utf-8") for path in (ROOT / "docs" / "questions").glob("*.md")]
    assert any(f"`{command}`" in page for page in pages)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"`{extra}`" in readme
    assert command.replace(extra, "nwb") in readme


def test_every_error_is_tried() -> None:
    def below(kind: type) -> set[type]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {k for k in below(errors.VirtuallabError) if k.__module__ == "virtuallab.errors"}
    own_constructor = {k for k in ours if "__init__" in vars(k)}
    assert own_constructor <= {type(error) for error in RAISED}
