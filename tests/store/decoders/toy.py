"""Trained decoders for the tests, and their metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.decoder.synthetic import features
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.levels import Level
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.probes.statistics.features import change_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.metadata import DecoderMetadata, KindAccuracy, LevelAccuracy

SAMPLES = by_subject(features(signal=1.5), "activity")

METADATA = DecoderMetadata(
    title="toy",
    question="Does it come back?",
    observable="activity",
    classifier="kernel_svm",
    others=("hebbian",),
    probe={"units": 20, "visits": [0, 2], "noise": {"snr": 1.5}},
    probe_name="array",
    visits=(0, 2, 4),
    stages=2,
    units=(20, 20),
    stimuli=(8, 8),
    layers=(3, 4),
    snr=1.5,
    noise="snr",
    activity_units="1",
    absent=(3,),
    change_names=change_names(),
    last_step=100,
    learning_rates=(0.01, 0.1),
    architectures=("knet4",),
    tasks=("digits",),
    kinds=1,
    kind_names=("knet4 digits", "mlp digits"),
    held_out_kinds=(KindAccuracy("none", 0.6, (0.4, 0.8)),),
    fewest=20,
    subjects=("sub-0001", "sub-0002"),
    n_subjects=60,
    accuracy=0.9,
    interval=(0.8, 0.95),
    confidence=0.95,
    coverage=0.91,
    nominal_coverage=0.9,
    levels=(LevelAccuracy(Level("optimizer", "Which optimizer?", {"adam": "adam"}), (0.8, 0.95)),),
    excluded={"learning": 0.95, "frozen": 0.0},
    still=(0.0, 0.1),
    made_for="0123456789abcdef",
)


def null_recordings() -> NullSamples:
    """Sixty recordings of two null models, near zero where subjects that learned are not."""
    count = len(SAMPLES.labels)
    values = np.random.default_rng(3).normal(-4, 1, (count, SAMPLES.values.shape[1]))
    kinds = np.array(["frozen", "gain_change"])[np.arange(count) % 2]
    return NullSamples(values, kinds, np.arange(count))


def trained(classifier: str, *, with_others: bool = True, with_nulls: bool = True) -> FittedDecoder:
    rules = sorted(set(SAMPLES.labels.tolist()))
    rows = np.arange(0, len(SAMPLES.labels), 2)
    others = replace(SAMPLES, values=SAMPLES.values + 3.0).take(np.arange(1, 20, 2))
    return FittedDecoder.train(
        CLASSIFIERS[classifier](),
        SAMPLES.take(rows),
        rules,
        inner_folds=2,
        seed=5,
        nulls=null_recordings() if with_nulls else None,
        outliers=others if with_others else None,
    )


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = folder / "model.json"
    numbers = json.loads(file.read_text())
    change(numbers)
    file.write_text(json.dumps(numbers))


def replace_estimators(folder: Path, content: bytes) -> None:
    """As somebody would who knows that there is a checksum."""
    (folder / "model.skops").write_bytes(content)
    rewrite(folder, lambda n: n.update(sha256=hashlib.sha256(content).hexdigest()))


class Trap:
    """Whoever makes one of these, in whatever way, is caught."""

    sprung = False

    def __new__(cls, *_: object) -> Trap:
        cls.sprung = True
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        type(self).sprung = True

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, (), {"a": 1}


def spring() -> Trap:
    Trap.sprung = True
    return Trap()
