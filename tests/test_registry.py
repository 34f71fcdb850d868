"""What else is installed on the machine never stops a command."""

from __future__ import annotations

import pickle
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.protocol.toys import Wheel
from virtuallab import installed, registry
from virtuallab.errors import BrokenPlugin, UnknownName
from virtuallab.name_form import NameForm
from virtuallab.registry import REGISTRIES, Registry

GOOD = """\
from dataclasses import dataclass
from tests.protocol.toys import Wheel

@dataclass(frozen=True, kw_only=True)
class Good(Wheel):
    '''A good toy: it works.'''
"""
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lay a distribution with one entry point for toys onto the path."""
    monkeypatch.syspath_prepend(tmp_path)
    installed.our_entry_points.cache_clear()
    monkeypatch.setattr(installed, "_warned", set())

    def lay(name: str, source: str, points: str) -> None:
        (tmp_path / f"{name}_module.py").write_text(source, "utf-8")
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[virtuallab.toys]\n{points}\n", "utf-8")
        monkeypatch.delitem(sys.modules, f"{name}_module", raising=False)

    yield lay
    installed.our_entry_points.cache_clear()


def toys() -> Registry[type]:
    """A registry of its own, so that nothing is left behind."""
    return Registry("toy", "tests.protocol.nothing", "tests.protocol.toys:Wheel")


@pytest.mark.parametrize(
    ("source", "attribute", "reason"),
    [
        ("import a_library_nobody_has", "Good", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('no\\nlicence')", "Good", "RuntimeError: no licence"),
        ("import sys; sys.exit(3)", "Good", "SystemExit: 3"),
        ("class Odd(BaseException): pass\nraise Odd('odd')", "Good", "Odd: odd"),
        ("this is no Python", "Good", "SyntaxError"),
        (GOOD, "Missing", "AttributeError"),
        ("def Good(): pass", "Good", "is not a class derived from tests.protocol.toys.Wheel"),
        ("class Good: pass", "Good", "is not a class derived from tests.protocol.toys.Wheel"),
        (GOOD + "    x: Unknown = 1\n", "Good", "NameError"),
    ],
)
def test_a_broken_plugin_is_named_in_one_line_and_left_out(
    source: str, attribute: str, reason: str, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken", source, f"bad = broken_module:{attribute}")
    install("other", GOOD, "good = other_module:Good")
    found = toys()
    assert list(found) == ["good"]
    [record] = caplog.records
    line = record.getMessage()
    assert "\n" not in line
    assert f"toy bad is left out: entry point bad = broken_module:{attribute} of broken" in line
    assert reason in line
    with pytest.raises(BrokenPlugin, match="of broken") as refused:
        found["bad"]
    assert reason in str(refused.value)
    with pytest.raises(UnknownName, match="Known: good"):
        found["goood"]


def test_what_an_import_prints_stays_out_of_what_a_command_prints(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("loud", f"print('hello')\n{GOOD}", "good = loud_module:Good")
    assert list(toys()) == ["good"]
    assert capsys.readouterr() == ("", "hello\n")


def test_two_distributions_may_not_give_a_name_two_meanings(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("first", GOOD, "good = first_module:Good")
    install("second", GOOD, "good = second_module:Good")
    found = toys()
    assert list(found) == []
    with pytest.raises(BrokenPlugin, match="Uninstall one") as refused:
        found["good"]
    assert "of first" in str(refused.value)
    assert "of second" in str(refused.value)
    assert len(caplog.records) == 1


def test_a_name_of_ours_stays_ours(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("mine", GOOD, "car = mine_module:Good")
    found = Registry("toy", "tests.protocol.nothing", "tests.protocol.toys:Wheel")
    ours = found.register("car")(type("Car", (Wheel,), {}))
    assert found["car"] is ours
    assert list(found) == ["car"]
    assert "car of entry point car = mine_module:Good of mine is left out" in caplog.text


def test_metadata_that_are_malformed_stop_nobody(
    install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("good", GOOD, "good = good_module:Good")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    binary = tmp_path / "binary-1.0.dist-info"
    binary.mkdir()
    (binary / "entry_points.txt").write_bytes(b"\xff\xfe[virtuallab.toys]")
    (binary / "METADATA").write_bytes(b"\xff")
    odd = tmp_path / "odd-1.0.dist-info"
    odd.mkdir()
    (odd / "entry_points.txt").write_text("[virtuallab.toys]\nno equals sign\n")
    assert list(toys()) == ["good"]
    assert "its entry_points.txt is malformed" in caplog.text


@pytest.mark.parametrize(
    "plugins",
    [
        registry.RULES,
        registry.OPTIMIZERS,
        registry.ARCHITECTURES,
        registry.TASKS,
        registry.DEVICES,
        registry.CLASSIFIERS,
    ],
    ids=lambda plugins: plugins.kind,
)
def test_a_plugin_lies_in_the_module_of_its_name(plugins: Registry[type]) -> None:
    for name in plugins._modules():
        assert plugins[name].__module__ == f"{plugins._package}.{name}"


def test_docstrings_are_read_without_an_import() -> None:
    fresh = Registry("rule", "virtuallab.subject.rules")
    docs = fresh.docs()
    assert docs["backprop"].startswith("Backpropagation: the error returns through")
    assert set(docs) == set(registry.RULES._modules())


def test_a_registry_is_itself_after_pickling() -> None:
    for each in REGISTRIES:
        assert pickle.loads(pickle.dumps(each)) is each


def test_a_class_from_outside_that_cannot_be_used_is_refused_where_it_registers() -> None:
    with pytest.raises(
        TypeError, match=r"is not a class derived from tests\.protocol\.toys\.Wheel"
    ):
        toys().register("car")(type("Car", (), {}))
    abstract = type("Abstract", (Wheel, ABC), {"turn": abstractmethod(lambda self: None)})
    with pytest.raises(TypeError, match="Abstract does not define turn"):
        toys().register("car")(abstract)


def found_toy(name: str) -> type:
    """Class of a name such as ``toy.red``."""
    return type(name, (), {"name": name})


def test_names_of_a_form_are_found_by_its_function_and_listed_by_its_line() -> None:
    form = NameForm("toy.COLOUR", r"toy\..+", "Toy of a colour.", f"{__name__}:found_toy")
    made = Registry("toy", "tests.protocol", forms=[form])
    assert made["toy.red"].name == "toy.red"
    assert made.docs()["toy.COLOUR"] == "Toy of a colour."
    assert "toy.red" not in list(made)
    with pytest.raises(UnknownName, match=r"no toy is called 'toys'\. .*toy\.COLOUR"):
        made["toys"]
    with pytest.raises(UnknownName, match=r"'toy\.'\. Known: toy\.COLOUR"):
        made["toy."]
    with pytest.raises(UnknownName, match=r"it is the form of a name\. Toy of a colour\."):
        made["toy.COLOUR"]
