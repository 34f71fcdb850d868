"""Plug-ins from a file that the user names, in this process and in those that share its work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from virtuallab import plugins
from virtuallab.errors import UserError

MINE = '''\
from sklearn.neighbors import KNeighborsClassifier

from virtuallab.decoder.classifier import Classifier
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("nearest_neighbours")
class NearestNeighbours(Classifier):
    """Vote of the five nearest neighbours."""

    def estimator(self, samples, seed):
        return self.pipeline(samples, KNeighborsClassifier(), scaled=True)

    def grid(self, name, samples):
        return [{"classify__n_neighbors": 5}]
'''
SHARED = """\
from virtuallab import plugins
from virtuallab.decoder import Analysis
from virtuallab.decoder.evaluation import evaluate
from tests.decoder.synthetic import features

if __name__ == "__main__":
    plugins.load(["mine.py"])
    analysis = Analysis(
        observables=("activity", "weights"), classifiers=("nearest_neighbours",),
        folds=2, inner_folds=2, repeats=1, permutations=1,
    )
    found = evaluate(features(signal=2.0, each=6), analysis, 1, workers=2)
    print(float(found["balanced_accuracy"].max()))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_file_is_listed_by_the_command_that_names_it(folder: Path) -> None:
    listing = ("-m", "virtuallab", "list", "classifiers")
    named = command(folder, *listing, "--plugin", "mine.py")
    assert "nearest_neighbours   Vote of the five nearest neighbours." in named.stdout
    assert "nearest_neighbours" not in command(folder, *listing).stdout
    package = command(folder, *listing, "--plugin", "mine")
    assert package.stdout == named.stdout


def test_processes_that_share_the_work_know_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
    (folder / "shared.py").write_text(SHARED)
    done = command(folder, "shared.py")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.6


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.py", None, r"absent\.py: there is no such file"),
        ("broken.py", "1 / 0", r"broken\.py cannot be imported: ZeroDivisionError"),
        ("leaves.py", "raise SystemExit(3)", r"leaves\.py cannot be imported: SystemExit"),
        ("json.py", "", r"a module 'json' is there already"),
        ("no_such_module", None, "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_imported_is_named(
    name: str, content: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        plugins.load([name])
    assert Path(name).stem == "json" or Path(name).stem not in sys.modules


def test_only_modules_that_were_named_are_plugins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUALLAB_PLUGINS", "")
    (folder / "lonely.py").write_text("here = True")
    plugins.load([str(folder / "lonely.py"), "json.tool"])
    found = plugins.imported("lonely")
    assert found is not None
    assert found.here
    assert plugins.imported("json.tool") is sys.modules["json.tool"]
    assert plugins.imported("json") is None
    del sys.modules["lonely"]
