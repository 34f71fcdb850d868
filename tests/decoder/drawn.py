"""Subjects of rules that differ in a few of many columns."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.features.samples import Samples

RULES = ["adam", "feedback", "sgdm"]


COLUMNS = 30


def drawn(each: int, seed: int = 0, apart: float = 1.0, rules: int = 3) -> Samples:
    """Subjects of rules that differ in a few of many columns."""
    stream = np.random.default_rng(seed)
    number = np.repeat(np.arange(rules), each)
    names = np.array([*RULES, "oja", "hebbian"])
    values = stream.standard_normal((len(number), COLUMNS))
    centres = np.random.default_rng(99).standard_normal((5, 8)) * apart
    values[:, :8] += centres[number]
    return Samples(values, names[number], np.arange(len(number)), 1)
