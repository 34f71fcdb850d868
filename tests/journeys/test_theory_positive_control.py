"""The geometry of plasticity of trained networks is that of their optimizer."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.statistics.theory.weights import weight_theory
from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES, TASKS
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train

ARCHITECTURE, TASK = ARCHITECTURES["knet4"](), TASKS["digits"]()
STEPS, SYNAPSES = [0, 60, 120, 180], 200
# For each optimizer rates at which it learns, a factor of 10 apart.
RATES = {
    "sgd": (0.01, 0.03, 0.1),
    "adam": (1e-3, 3e-3, 1e-2),
    "exponentiated_gradient": (0.03, 0.1, 0.3),
}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, np.ndarray]]:
    """Each change in every optimizer's subjects, the mean over layers and visits."""
    return {name: _changes(name) for name in RATES}


def _changes(optimizer: str) -> dict[str, np.ndarray]:
    subjects = [
        Subject(
            architecture=ARCHITECTURE,
            task=TASK,
            rule=RULES["backprop"](),
            optimizer=OPTIMIZERS[optimizer](learning_rate=rate),
            label=optimizer,
            batch_size=32,
            steps=STEPS[-1],
            replicate=number,
            seed=4,
        )
        for number, rate in enumerate(RATES[optimizer])
    ]
    seen: list[Visit] = []
    train(Cohort(tuple(subjects)), STEPS, seen.append)
    assert (seen[-1].evaluation["validation_performance"] > 0.7).all()
    layout = parameter_layout(ARCHITECTURE, TASK)
    stream = np.random.default_rng(0)
    rows: dict[str, list[float]] = {}
    for place in range(len(subjects)):
        of_layers: dict[str, list[np.ndarray]] = {}
        for layer in layout.layers:
            weights = np.stack([visit.state[place, layout.weights(layer)] for visit in seen])
            some = stream.choice(weights.shape[1], min(SYNAPSES, weights.shape[1]), replace=False)
            for name, values in weight_theory(weights[:, some]).items():
                of_layers.setdefault(name, []).append(values[1:])
        for name, values in of_layers.items():
            rows.setdefault(name, []).append(float(np.mean(values)))
    return {name: np.array(values) for name, values in rows.items()}


@pytest.mark.parametrize("name", ["slope_last", "slope_start"])
def test_changes_grow_with_the_weight_under_exponentiated_gradient_only(
    found: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    slope = {optimizer: each[f"theory_weight_{name}"] for optimizer, each in found.items()}
    np.testing.assert_allclose(slope["exponentiated_gradient"], 1, atol=0.2)
    np.testing.assert_allclose(slope["sgd"], 0, atol=0.25)
    np.testing.assert_allclose(slope["adam"], 0, atol=0.25)


def test_changes_are_gaussian_in_the_geometry_of_the_optimizer(
    found: dict[str, dict[str, np.ndarray]],
) -> None:
    for optimizer, each in found.items():
        multiplies = optimizer == "exponentiated_gradient"
        own, other = "multiplicative", "additive"
        if not multiplies:
            own, other = other, own
        assert (abs(each[f"theory_weight_gaussian_{own}"]) < 0.1).all(), optimizer
        assert (each[f"theory_weight_gaussian_{other}"] < -0.05).all(), optimizer
        contrast = each["theory_weight_gaussian_contrast"]
        assert ((contrast > 0) == multiplies).all(), optimizer


def test_only_exponentiated_gradient_keeps_every_sign(
    found: dict[str, dict[str, np.ndarray]],
) -> None:
    kept = {optimizer: each["theory_weight_sign_kept"] for optimizer, each in found.items()}
    assert (kept["exponentiated_gradient"] == 1).all()
    assert (kept["sgd"] < 0.97).all()
    assert (kept["adam"] < 0.97).all()
