"""A classifier of the user's own, in one file, from the plan to a saved decoder."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import PROTOCOL

Command = Callable[..., subprocess.CompletedProcess[str]]

NEAREST = '''\
"""Votes of the nearest neighbours."""

from sklearn.neighbors import KNeighborsClassifier

from virtuallab.decoder.classifier import Classifier
from virtuallab.registry import CLASSIFIERS


class Votes(KNeighborsClassifier):
    """Type of the author's own, which a saved decoder holds."""


@CLASSIFIERS.register("nearest")
class Nearest(Classifier):
    """Vote of the nearest neighbours, on standardised features."""

    saved_types = ("nearest.Votes",)

    def estimator(self, samples, seed):
        return self.pipeline(samples, Votes(algorithm="brute"), scaled=True)

    def grid(self, name, samples):
        return [{"classify__n_neighbors": k} for k in (1, 3)]
'''


@pytest.mark.slow
def test_a_classifier_of_ones_own_is_one_file_from_plan_to_a_saved_decoder(
    tmp_path: Path, virtuallab: Command
) -> None:
    (tmp_path / "nearest.py").write_text(NEAREST)
    analysis = "main: {observables: [activity], classifiers: [nearest],"
    (tmp_path / "small.yaml").write_text(
        PROTOCOL.replace("main: {observables: [activity],", analysis)
    )
    unknown = virtuallab("validate", "small.yaml", "--syntax")
    assert unknown.returncode == 2
    assert re.search(r"small\.yaml:\d+: analyses\.main\.classifiers.*'nearest'", unknown.stderr)

    plugin = ("--plugin", "nearest.py")
    for words in (("validate", "small.yaml"), ("plan", "small.yaml"), ("run", "small.yaml")):
        done = virtuallab(*words, *plugin)
        assert done.returncode == 0, done.stderr
    recording = ("runs/small.zarr/recordings/sparse/knet4", "--subject", "sub-0001")
    training = ("--probe", "sparse", "--classifier", "nearest", "--save", "mine.decoder")
    saved = virtuallab("identify", "runs/small.zarr", *recording, *training, *plugin)
    assert saved.returncode == 0, saved.stderr
    assert "mine.decoder" in saved.stdout

    again = virtuallab("identify", "mine.decoder", *recording, *plugin)
    assert again.returncode == 0, again.stderr
    assert _probabilities(again.stdout) == _probabilities(saved.stdout) != []
    alone = virtuallab("identify", "mine.decoder", *recording)
    assert alone.returncode == 2
    assert "no classifier is called 'nearest'" in alone.stderr
    assert "--plugin" in alone.stderr


def _probabilities(text: str) -> list[str]:
    """Rows of the table of rules."""
    return [
        line.strip() for line in text.splitlines() if re.match(r" *(sgdm|feedback).* \d\.", line)
    ]
