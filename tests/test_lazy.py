"""Deferred imports: a library's code is run when one of its attributes is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from virtuallab import lazy

Write = Callable[[str, str], str]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module that is not imported yet; return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    before = {*sys.modules}

    def write(name: str, source: str) -> str:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(source, "utf-8")
        importlib.invalidate_caches()
        return file.stem if file.parent == tmp_path else file.parent.name

    yield write
    for name in {*sys.modules} - before:
        del sys.modules[name]


def test_code_is_run_at_the_first_use_of_an_attribute_and_once(library: Write, capsys) -> None:
    name = library("late_one.py", "print('ran')\nvalue = 7\n")
    lazy.defer(name)
    module = importlib.import_module(name)
    again = importlib.import_module(name)
    assert (module.__name__, module.__spec__.name) == (name, name)
    assert capsys.readouterr().out == ""
    assert (module.value, again.value) == (7, 7)
    assert capsys.readouterr().out == "ran\n"
    assert type(module) is ModuleType
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        module.other  # noqa: B018


def test_a_name_that_is_imported_from_a_library_is_there(library: Write) -> None:
    name = library("late_two.py", "value = 7\n")
    lazy.defer(name)
    scope: dict[str, object] = {}
    exec(f"from {name} import value", scope)
    assert scope["value"] == 7


def test_a_submodule_of_a_deferred_package_can_be_imported(library: Write) -> None:
    library("late_package/inner.py", "value = 8\n")
    name = library("late_package/__init__.py", "own = 7\n")
    lazy.defer(name)
    inner = importlib.import_module(f"{name}.inner")
    assert inner.value == 8
    assert sys.modules[name].own == 7
    assert sys.modules[name].inner is inner


def test_a_library_that_fails_raises_its_error_and_can_be_imported_again(library: Write) -> None:
    name = library("late_three.py", "raise RuntimeError('no licence')\n")
    lazy.defer(name)
    with pytest.raises(RuntimeError, match="no licence"):
        importlib.import_module(name).value  # noqa: B018
    assert name not in sys.modules
    library("late_three.py", "value = 9  # repaired\n")
    assert importlib.import_module(name).value == 9


def test_what_is_imported_already_or_not_installed_is_not_changed(library: Write) -> None:
    name = library("late_four.py", "value = 7\n")
    module = importlib.import_module(name)
    lazy.defer(name, "a_library_nobody_has")
    assert sys.modules[name] is module
    assert "a_library_nobody_has" not in sys.modules
