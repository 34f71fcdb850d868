"""What the page on architectures shows can be read, and its walk with an own module runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.protocol.texts import complaints, small
from virtuallab.registry import ARCHITECTURES

PAGE = Path(__file__).parent.parent / "docs" / "questions" / "choose_an_architecture.md"
TEXT = PAGE.read_text("utf-8")
PUBLISHED, TORCHVISION, OWN = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
MODULE, CHECK = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = re.findall(r"^    (virtuallab \S.*--plugin mynet\.py)$", TEXT, flags=re.MULTILINE)
PROTOCOL = """\
schema_version: 1
name: mine
seed: 1
subjects:
  tasks: [{name: digits, train_images: 64, validation_images: 20, probe_images: 20}]
  rules: [backprop, feedback_alignment]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  steps: 10
  visits: 3
"""
FURTHER = """\
probes:
  all_units: {units: all}
analyses:
  main: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, permutations: 1}
"""


def with_architectures(block: str) -> str:
    return PROTOCOL + "".join(f"  {line}\n" for line in block.splitlines()) + FURTHER


@pytest.mark.parametrize("block", [PUBLISHED, TORCHVISION], ids=["published", "torchvision"])
def test_what_the_page_shows_can_be_read(block: str) -> None:
    assert complaints(with_architectures(block)) == []


def test_the_table_gives_settings_that_the_networks_have() -> None:
    rows = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]
    published = {name.strip(" `"): settings.strip(" `") for name, _, _, settings in rows}
    assert published.keys() == set(ARCHITECTURES) - {"mlp", "convnet"}
    for name, settings in published.items():
        assert complaints(small(("[knet4]", f"[{{name: {name}, {settings}}}]"))) == []


def test_the_number_of_layers_in_the_table_is_that_of_the_network() -> None:
    import torch

    for name, count in re.findall(r"^\| `(resnet\w+)` \| (\d+)", TEXT, flags=re.MULTILINE):
        with torch.device("meta"):
            network = ARCHITECTURES[name]().build((3, 32, 32), 10)
        assert len(ARCHITECTURES[name]().sites(network)) == int(count)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the walk makes: the module, the protocol, and the check."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "mynet.py").write_text(MODULE)
    (folder / "check.py").write_text(CHECK)
    (folder / "mine.yaml").write_text(with_architectures(OWN))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_walk_with_an_own_module_runs_to_its_end(folder: Path) -> None:
    assert [command.split()[1] for command in COMMANDS] == ["list", "validate", "run"]
    said = []
    for command in COMMANDS:
        done = run(folder, "-m", *command.split())
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert "channels (default 8)" in said[0]
    assert said[1] == "mine.yaml: valid\n"
    assert (folder / "runs" / "mine.zarr").is_dir()
    checked = run(folder, "check.py")
    assert checked.returncode == 0, checked.stderr
    again = run(folder, "-m", "virtuallab", "decode", "runs/mine.zarr")
    assert again.returncode == 2
    assert "the architecture 'mynet:Net' cannot be used: --plugin did not import" in again.stderr
    decoded = run(folder, "-m", "virtuallab", "decode", "runs/mine.zarr", "--plugin", "mynet.py")
    assert decoded.returncode == 0, decoded.stderr


def test_without_the_plugin_a_protocol_is_refused_and_says_what_to_add(folder: Path) -> None:
    done = run(folder, "-m", "virtuallab", "validate", "--syntax", "mine.yaml")
    assert done.returncode == 2
    assert "mine.yaml:12: subjects.architectures[0].name: the architecture 'mynet:Net'" in (
        done.stderr
    )
    assert "Add --plugin mynet.py" in done.stderr
