"""A rule from outside: a package of its own, found by its entry point."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import virtuallab
from virtuallab.vocabulary import DONE

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "leaky_mirror"
PROTOCOL = """\
schema_version: 1
name: outside
question: Can a rule from outside be told from feedback alignment?
seed: 1
subjects:
  architectures: [{name: mlp, hidden: [8]}]
  tasks: [{name: digits, train_images: 100, validation_images: 20, probe_images: 10}]
  rules: [feedback_alignment, {name: leaky_mirror, rate: {uniform: [1.0, 20.0]}}]
  optimizer: {name: sgd, momentum: 0.0, learning_rate: 0.02}
  replicates: 2
  batch_size: 10
  epochs: 4
  visits: 2
  cohort: 2
probes:
  all_units: {keep: statistics}
analyses: {}
"""


@pytest.mark.parametrize("name", ["leaky_mirror.py", "pyproject.toml"])
def test_the_page_shows_the_example_as_it_is(name: str) -> None:
    page = (ROOT / "docs" / "questions" / "write_a_rule.md").read_text("utf-8")
    kind = {".py": "python", ".toml": "toml"}[Path(name).suffix]
    shown = re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)[0]
    assert shown == (EXAMPLE / name).read_text("utf-8")
    assert len(shown.splitlines()) < 30


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed, as pip does it."""
    folder = tmp_path_factory.mktemp("outside")
    source = shutil.copytree(EXAMPLE, folder / "source")  # a build leaves files beside it
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        folder / "site",
        source,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


def do(site: Path, *arguments: str | Path, at: Path | None = None) -> str:
    """Run a command where the example is installed; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=at, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


LAB = ("-c", "from virtuallab.cli import main; main()")


def test_the_list_of_rules_names_it(site: Path) -> None:
    assert "leaky_mirror" in do(site, *LAB, "list", "rules")


def test_without_the_package_it_is_unknown(tmp_path: Path) -> None:
    assert "leaky_mirror" not in do(tmp_path, *LAB, "list", "rules")


def test_it_keeps_to_what_a_rule_must(site: Path) -> None:
    do(site, "-c", "from virtuallab.testing import check_rule; check_rule('leaky_mirror')")


def test_a_protocol_may_name_it_and_subjects_learn_under_it(site: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "outside.yaml"
    protocol.write_text(PROTOCOL, "utf-8")
    do(site, *LAB, "validate", protocol)
    do(site, *LAB, "run", protocol, "--store", tmp_path / "outside.zarr", "-w", "1", at=tmp_path)
    tree = virtuallab.open(tmp_path / "outside.zarr")  # here, where nobody knows the rule
    subjects = tree["subjects"].to_dataset()
    assert (subjects["status"] == DONE).all()
    outside = (subjects["rule"] == "leaky_mirror").to_numpy()
    assert outside.sum() == 2
    assert len(set(subjects["rate"].to_numpy()[outside])) == 2
    first, last = tree["truth"]["weight_angle"].to_numpy()[outside].swapaxes(0, 1)[[0, -1]]
    assert (last < 0.8 * first).all(), "its backward weights turn toward the forward ones"
