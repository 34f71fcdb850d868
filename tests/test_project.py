"""The project's own files agree with one another."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import xarray as xr
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


SLOW = "kinds", "nayebi2020"  # 22 kinds of networks
SHIPPED = [
    pytest.param(path, id=path.name, marks=[pytest.mark.slow] if path.stem in SLOW else [])
    for path in sorted((ROOT / "protocols").glob("*.yaml"))
    if path.stem != "nayebi2020_full"  # tests/lab/planning/test_full_scale.py: it needs files
]


@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_protocol_can_be_carried_out(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=./schema/")
    from virtuallab.lab.planning.validation import make_plan
    from virtuallab.protocol import read

    assert make_plan(read(path)).protocol.name == path.stem


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield each top-level module a file imports, and whether it is imported inside a function."""
    tree = ast.parse(file.read_text("utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            yield name.split(".")[0], id(node) in inside


def test_what_is_imported_is_declared() -> None:
    """The environment of developers has libraries that others do not have."""
    extras = PROJECT["optional-dependencies"]
    optional = required([line for extra in extras if extra != "dev" for line in extras[extra]])
    distributions = packages_distributions()
    for file in (ROOT / "virtuallab").rglob("*.py"):
        for module, in_function in imports(file):
            if module in sys.stdlib_module_names or module == "virtuallab":
                continue
            names = {canonicalize_name(name) for name in distributions.get(module, [module])}
            declared = names & required(PROJECT["dependencies"]).keys()
            assert declared or (in_function and names & optional.keys()), f"{module} in {file}"


# A second to import, each; torch's compiler takes two.
HEAVY = (
    *(
        "scipy",
        "sklearn",
        "matplotlib",
        "pandas._libs",
        "xarray.core",
        "zarr.core",
        "dask",
        "distributed",
    ),
    *("optuna", "torchvision", "sympy", "torch._dynamo", "mlxtend"),
)


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("list", "rules", "backprop"),
        ("schema",),
        ("validate", "--syntax", "protocols/quickstart.yaml"),
        ("status", "STORE"),
        ("validate", "protocols/quickstart.yaml"),
        ("plan", "protocols/quickstart.yaml"),
    ],
    ids=" ".join,
)
def test_a_command_that_is_to_answer_soon_imports_no_heavy_library(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    store = tmp_path / "small.zarr"
    if "STORE" in command:
        made_store(store)
    builds = command[0] == "plan" or (command[0] == "validate" and "--syntax" not in command)
    heavy = [*HEAVY, *([] if builds else ["torch._C", "numpy._core", "jaxtyping._array_types"])]
    script = (
        "import sys\n"
        "from virtuallab.cli import app, main\n"
        f"sys.argv = ['virtuallab', *{[str(store) if c == 'STORE' else c for c in command]!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "[]\n"


def made_store(path: Path) -> None:
    """Make a store of two subjects, none of them trained."""
    from virtuallab.store import create_store

    names = xr.DataArray(["a", "b"], dims="subject")
    create_store(
        path,
        subjects=xr.Dataset(coords={"subject": names}),
        provenance={},
        plan={"cohorts": [[0, 1]]},
    )
