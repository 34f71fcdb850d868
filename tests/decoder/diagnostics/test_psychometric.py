"""How accuracy grows with what is recorded."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from virtuallab.decoder.diagnostics.psychometric import PsychometricFit, _negative_log_likelihood

LABELS = np.repeat(["a", "b", "c", "d"], 100)


def answered(truth: np.ndarray, seed: int, seeds: int = 4) -> np.ndarray:
    stream = np.random.default_rng(seed)
    return (stream.random((seeds, len(truth), len(LABELS))) < truth[:, None]).mean(0)


def test_a_planted_function_is_found():
    x = np.column_stack([np.linspace(0, 4, 30), np.tile([0.0, 1.0, 2.0], 10)])
    truth = 0.25 + 0.65 * expit(-2 + 1.2 * x[:, 0] + 0.5 * x[:, 1])
    growth = PsychometricFit.fit(x, answered(truth, 1), LABELS, seed=2, draws=20)
    np.testing.assert_allclose(growth.accuracy(x), truth, atol=0.03)
    drawn = growth.drawn(x)
    assert drawn.shape == (20, 30)
    assert 0.003 < drawn.std(0).mean() < 0.03


def test_more_never_tells_less():
    x = np.linspace(0, 1, 8)[:, None]
    falling = 0.9 - 0.5 * x[:, 0]
    growth = PsychometricFit.fit(x, answered(falling, 3), LABELS, seed=4, draws=2)
    found = growth.accuracy(x)
    assert (np.diff(found) >= -1e-12).all()


def test_nothing_is_worse_than_chance_or_better_than_certain():
    x = np.linspace(0, 1, 8)[:, None]
    growth = PsychometricFit.fit(x, answered(np.full(8, 0.25), 5), LABELS, seed=6, draws=2)
    wide = np.array([[-100.0], [0.5], [100.0]])
    assert (growth.accuracy(wide) >= 0.25).all()
    assert (growth.accuracy(wide) <= 1).all()


def test_the_gradient_is_that_of_the_likelihood():
    stream = np.random.default_rng(7)
    x, seen = stream.random((9, 2)), stream.uniform(0.3, 0.9, 9)
    at = np.array([-0.5, 0.1, 1.5, 0.7])
    _, slope = _negative_log_likelihood(at, x, seen, 0.25)
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-6
        there, back = (_negative_log_likelihood(at + s, x, seen, 0.25)[0] for s in (step, -step))
        assert abs((there - back) / 2e-6 - slope[place]) < 1e-6
