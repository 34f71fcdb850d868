"""Entry points of installed distributions, some of which are malformed."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from virtuallab import installed

ODD = "[xarray.backends]\nno equals sign\n"


@pytest.fixture(autouse=True)
def _nothing_hidden_or_warned_of_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what other tests of this process did, and afterwards what a test here does."""
    monkeypatch.setattr(installed, "_warned", set())
    for name in ("importlib.metadata", "importlib_metadata"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            monkeypatch.setattr(module, "distributions", module.Distribution.discover)


def lay(folder: Path, name: str, points: str) -> importlib.metadata.Distribution:
    """Install a distribution that has nothing but metadata."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    return importlib.metadata.Distribution.at(info)


def test_entry_points_of_a_distribution_are_those_it_declares(tmp_path: Path) -> None:
    found = installed.declared_by(lay(tmp_path, "good", "[a.b]\none = m:F\ntwo = m:G\n"))
    assert found is not None
    assert [(each.group, each.name, each.value) for each in found] == [
        ("a.b", "one", "m:F"),
        ("a.b", "two", "m:G"),
    ]


def test_a_malformed_distribution_is_warned_of_once_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = lay(tmp_path, "odd", ODD)
    assert installed.declared_by(odd, warn=False) is None
    assert caplog.records == []
    assert installed.declared_by(odd) is None
    assert installed.declared_by(odd) is None
    [record] = caplog.records
    line = record.getMessage()
    assert record.levelno == logging.WARNING
    assert line.startswith("Warning: plug-ins of odd are left out: its entry_points.txt is malf")
    assert "\n" not in line


@pytest.mark.parametrize("reader", ["importlib.metadata", "importlib_metadata"])
def test_libraries_find_their_plugins_beside_malformed_metadata(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    reader: str,
) -> None:
    module = pytest.importorskip(reader)
    monkeypatch.syspath_prepend(tmp_path)
    lay(tmp_path, "good", "[virtuallab.toys]\ngood = good_module:Good\n")
    lay(tmp_path, "odd", ODD)
    installed.pass_over_malformed()
    for _ in range(2):
        assert [each.name for each in module.entry_points(group="virtuallab.toys")] == ["good"]
    assert caplog.text.count("its entry_points.txt is malformed") == 1


def test_a_second_call_has_no_effect() -> None:
    installed.pass_over_malformed()
    once = importlib.metadata.distributions
    installed.pass_over_malformed(warn=False)
    assert importlib.metadata.distributions is once


def test_a_worker_process_has_the_plugins_of_its_parent_and_does_not_repeat_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from importlib import metadata

    monkeypatch.syspath_prepend(tmp_path)
    lay(tmp_path, "odd", ODD)
    file = tmp_path / "of_the_parent.py"
    file.write_text("value = 7\n")
    monkeypatch.setenv("VIRTUALLAB_PLUGINS", os.pathsep.join([str(file), "json"]))
    monkeypatch.delitem(sys.modules, "of_the_parent", raising=False)
    installed.begin_process()
    assert sys.modules.pop("of_the_parent").value == 7
    assert metadata.entry_points(group="xarray.backends") is not None
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("distribution", "name"),
    [
        (SimpleNamespace(metadata={"Name": "good"}, _path="/x"), "good"),
        (SimpleNamespace(metadata={"Name": None}, _path="/x/odd.dist-info"), "/x/odd.dist-info"),
        (SimpleNamespace(_path="/x/odd.dist-info"), "/x/odd.dist-info"),
        (SimpleNamespace(metadata={"Name": ""}), "a distribution without a name"),
    ],
)
def test_a_distribution_without_a_name_is_named_by_its_path(
    distribution: object, name: str
) -> None:
    assert installed.name_of(distribution) == name


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyError("a"), "KeyError: 'a'"),
        (RuntimeError(), "RuntimeError"),
        (OSError("red \x1b[31m"), "OSError: red \\x1b[31m"),
    ],
)
def test_an_exception_is_written_in_one_line(error: Exception, line: str) -> None:
    assert installed.in_a_line(error) == line
