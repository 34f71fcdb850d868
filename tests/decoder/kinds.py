"""Subjects of several kinds, whose features lie apart."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.features.samples import Samples

RULES = ["adam", "feedback", "sgd"]
EACH = 24  # subjects of each rule in each kind
KINDS = ("knet4 digits", "knet4 words", "mlp digits", "mlp words", "resnet digits", "resnet words")


def subjects(
    spread: float, effect: float = 3.0, *, paired: bool = False
) -> tuple[Samples, np.ndarray]:
    """Subjects of six kinds, whose rules move two columns, and their kinds."""
    stream = np.random.default_rng(0)
    labels = np.tile(np.repeat(RULES, EACH), len(KINDS))
    kinds = np.repeat(KINDS, EACH * len(RULES))
    values = stream.standard_normal((len(labels), 4))
    values[:, 0] += effect * (labels == "adam")
    values[:, 1] += effect * (labels == "sgd")
    values += np.repeat(stream.standard_normal((len(KINDS), 4)), EACH * len(RULES), 0) * spread
    pairs = np.tile(np.arange(EACH), len(RULES) * len(KINDS)) if paired else None
    if pairs is not None:
        pairs = pairs + 1_000 * np.repeat(np.arange(len(KINDS)), EACH * len(RULES))
    return Samples(values, labels, np.arange(len(labels)), 1, pairs=pairs), kinds
