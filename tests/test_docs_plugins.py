"""The plug-ins that the documentation shows pass their checks, and run as the pages name them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
from ruamel.yaml import YAML

QUESTIONS = Path(__file__).parent.parent / "docs" / "questions"
PAGES = ("write_a_device", "write_a_noise_model", "write_a_null_model", "write_a_statistic")
PROTOCOL = """\
schema_version: 1
name: mine
seed: 1
subjects:
  architectures: [{name: mlp, hidden: [40, 40]}]
  tasks: [{name: digits, train_images: 64, validation_images: 20, probe_images: 20}]
  rules: [backprop, feedback_alignment]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  steps: 10
  visits: 3
analyses:
  main: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, permutations: 1}
"""


def blocks(page: str, language: str) -> list[str]:
    text = (QUESTIONS / f"{page}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every plug-in of the pages in one file, and a protocol with every probe of the pages."""
    folder = tmp_path_factory.mktemp("plugins")
    code = [block for page in PAGES for block in blocks(page, "python")]
    (folder / "mine.py").write_text("\n\n".join(each for each in code if "register" in each))
    (folder / "check.py").write_text(
        "import mine\n" + "\n\n".join(each for each in code if "register" not in each)
    )
    yaml = YAML()
    probes = {}
    for page in PAGES:
        for block in blocks(page, "yaml"):
            probes |= yaml.load(block)["probes"]
    with (folder / "mine.yaml").open("w") as file:
        file.write(PROTOCOL)
        yaml.dump({"probes": probes}, file)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_plugins_pass_their_checks(folder: Path) -> None:
    assert (folder / "check.py").read_text().count("check_") == 10
    done = run(folder, "check.py")
    assert done.returncode == 0, done.stderr


def test_the_null_model_of_the_page_is_listed(folder: Path) -> None:
    done = run(folder, "-m", "virtuallab", "list", "null_models", "--plugin", "mine.py")
    assert done.returncode == 0, done.stderr
    assert "  bleaching " in done.stdout
    assert "  stable_drift " in done.stdout


@pytest.mark.slow
def test_the_protocol_that_names_them_runs_to_its_end(folder: Path) -> None:
    without = run(folder, "-m", "virtuallab", "validate", "mine.yaml")
    assert without.returncode == 2
    assert "probes.tails.noise.name: no noise model is called 'heavy_tails'" in without.stderr
    done = run(folder, "-m", "virtuallab", "run", "mine.yaml", "--plugin", "mine.py")
    assert done.returncode == 0, done.stderr
    names = {
        probe: set(
            xr.open_zarr(folder / "runs/mine.zarr", group=f"features/{probe}").change_name.values
        )
        for probe in ("array", "gaussian")
    }
    assert names["array"] - names["gaussian"] == {"evenness_over_units", "sparseness"}
    again = run(folder, "-m", "virtuallab", "probe", "runs/mine.zarr")
    assert again.returncode == 2
    assert "probes.dye.calcium.name: no indicator is called 'threshold_dye'" in again.stderr
