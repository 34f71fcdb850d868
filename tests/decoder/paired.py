"""Made-up subjects of paired designs, whose pairs resemble one another more than rules do."""

from __future__ import annotations

import numpy as np

from virtuallab.decoder.features.samples import Samples


def paired(
    *members: str, count: int, signal: float = 0.0, shared: float = 3.0, seed: int = 0
) -> Samples:
    """Subjects of pairs.

    Parameters
    ----------
    members : str
        Rules of a pair, one letter a subject; pairs take turns where several are given.
    count : int
        Number of pairs.
    signal : float
        Difference of neighbouring rules in the first column, in standard deviations.
    shared : float
        Standard deviation of what a pair shares, in those of a subject's own noise.
    """
    stream = np.random.default_rng(seed)
    rows = [(pair, rule) for pair in range(count) for rule in members[pair % len(members)]]
    pairs, rules = (np.array(each) for each in zip(*rows, strict=True))
    values = (shared * stream.standard_normal((count, 12)))[pairs]
    values += stream.standard_normal(values.shape)
    values[:, 0] += signal * np.searchsorted(np.unique(rules), rules)
    return Samples(values, rules, np.arange(len(rules)), 1, pairs=pairs)
