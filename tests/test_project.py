"""The project's own files agree with one another."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

import virtuallab

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONDA_NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}


def required(lines: list[str]) -> dict[str, SpecifierSet]:
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}


def test_conda_and_pip_ask_for_the_same() -> None:
    listed = YAML(typ="safe").load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    plain = [line for line in listed if isinstance(line, str) and line != "pip"]
    named = {line.split()[0]: SpecifierSet(line.split()[1]) for line in plain}
    assert named.pop("python") == SpecifierSet(PROJECT["requires-python"])
    found = {canonicalize_name(CONDA_NAMES.get(k, k)): v for k, v in named.items()}
    assert found == required(PROJECT["dependencies"])


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pinned}


def test_every_requirement_is_pinned_within_its_range() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    for name, allowed in required(PROJECT["dependencies"] + extras).items():
        assert constraints()[name] in allowed, name


def test_constraints_name_no_place_to_fetch_from() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert not re.search(r"://|@|\+cpu|--", text)
    assert constraints()["zarr"].startswith("3.")


def test_the_version_is_the_same_everywhere() -> None:
    citation = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text("utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert virtuallab.__version__ == PROJECT["version"] == citation["version"]
    assert f"## {virtuallab.__version__}" in changes


def test_the_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make quickstart" in readme
    assert "make test" in readme
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", readme):
        assert (ROOT / picture).is_file(), picture


def test_importing_the_package_imports_no_heavy_library() -> None:
    script = "import virtuallab, sys; print('torch' in sys.modules or 'xarray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "protocols").glob("*.yaml")), ids=lambda p: p.name)
def test_a_shipped_protocol_can_be_carried_out(path: Path) -> None:
    from virtuallab.lab import load

    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=./schema/")
    assert load.protocol(path).name == path.stem
