"""Movements relative to a read-out, from responses that were moved in a known direction."""

from __future__ import annotations

import numpy as np
import pytest

from virtuallab.probes.statistics.inner_products import LayerResponses
from virtuallab.probes.statistics.theory.activity import (
    _RIDGE,
    _Classes,
    _Readout,
    activity_theory,
)

CLASSES, EACH, UNITS = 4, 12, 40
LABELS = np.repeat(np.arange(CLASSES), EACH)
MEASURES = ("null_share", "potent_gain", "null_dimension", "readout_gain", "readout_alignment")
MEASURES = (*MEASURES, "class_growth", "class_units")


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tuned(noise: float = 0.5, units: int = UNITS, seed: int = 0) -> np.ndarray:
    """Responses (stimulus, unit) with class means and differences within a class."""
    random = stream(seed)
    means = random.standard_normal((CLASSES, units))
    return means[LABELS] + noise * random.standard_normal((len(LABELS), units))


def theory(*visits: np.ndarray, labels: np.ndarray | None = LABELS, **more) -> dict[str, float]:
    """Measures of the last movement."""
    found = activity_theory(LayerResponses(np.stack(visits), labels, **more), {})
    return {name: float(found[f"theory_act_{name}"][-1]) for name in MEASURES}


def readout_weights(responses: np.ndarray) -> np.ndarray:
    centred = responses - responses.mean(0)
    return centred.T @ _Readout.fitted(centred, _Classes.of(LABELS).indicators).dual


def test_the_read_out_without_a_stimulus_is_fitted_to_the_others():
    responses, moved = tuned(), stream(1).standard_normal((len(LABELS), UNITS))
    centred = responses - responses.mean(0)
    readout = _Readout.fitted(centred, _Classes.of(LABELS).indicators)
    ridge = _RIDGE * (centred**2).sum() / len(LABELS)
    seen = readout.without_own(moved @ centred.T)
    for row in (0, 17, 40):
        others = np.arange(len(LABELS)) != row
        mean, of_classes = responses[others].mean(0), readout.classes[others].mean(0)
        x, y = responses[others] - mean, readout.classes[others] - of_classes
        weights = np.linalg.solve(x.T @ x + ridge * np.eye(UNITS), x.T @ y)
        predicted = (responses[row] - mean) @ weights + of_classes
        np.testing.assert_allclose(readout.held_out[row], predicted, atol=1e-10)
        np.testing.assert_allclose(seen[row], moved[row] @ weights, atol=1e-10)


def test_a_movement_that_the_read_out_does_not_see_is_null():
    was = tuned()
    weights = readout_weights(was)
    move = stream(1).standard_normal(was.shape)
    potent = weights @ np.linalg.pinv(weights)
    null = theory(was, was + move - move @ potent)
    assert null["null_share"] > 0.99
    assert null["potent_gain"] < -3
    assert abs(null["readout_gain"]) < 0.35
    seen = theory(was, was + move @ potent)
    assert seen["null_share"] < 0.15
    assert seen["potent_gain"] > null["potent_gain"] + 3


def test_half_the_variance_of_a_movement_is_half_null():
    was = tuned(noise=0.1)
    weights = readout_weights(was)
    potent = weights @ np.linalg.pinv(weights)
    move = stream(1).standard_normal(was.shape)
    parts = [part - part.mean(0) for part in (move @ potent, move - move @ potent)]
    move = sum(part / np.linalg.norm(part) for part in parts)
    assert theory(was, was + move)["null_share"] == pytest.approx(0.5, abs=0.06)


def test_the_dimension_of_the_null_part_is_that_of_what_is_left():
    was = tuned()
    weights = readout_weights(was)
    within = stream(1).standard_normal(was.shape)
    null = within - within @ weights @ np.linalg.pinv(weights)
    strong = readout_weights(was)[:, :1].T * np.sign(LABELS - 1.5)[:, None]  # one dimension
    move = 0.2 * null / np.linalg.norm(null) + strong / np.linalg.norm(strong)
    assert theory(was, was + move)["null_dimension"] > 1
    assert theory(was, was + null)["null_dimension"] == pytest.approx(0, abs=0.01)


def test_gradient_descent_on_responses_is_aligned_with_the_read_out():
    was = tuned()
    one_hot = np.eye(CLASSES)[LABELS] - 1 / CLASSES
    step = one_hot @ readout_weights(was).T
    found, back = theory(was, was + step), theory(was, was - step)
    for name in ("readout_gain", "readout_alignment"):
        assert found[name] > 0.9
        assert back[name] == pytest.approx(-found[name])
    random = one_hot @ stream(5).standard_normal((CLASSES, UNITS))  # as through fixed weights
    assert theory(was, was + random)["readout_alignment"] < 0.5


def test_class_means_that_grow_are_aligned_with_themselves():
    was = tuned(noise=0.0)
    grown = theory(was, 1.5 * was)
    assert grown["class_growth"] == pytest.approx(1)
    assert grown["class_units"] == pytest.approx(1)
    assert theory(was, 0.5 * was)["class_growth"] == pytest.approx(-1)
    elsewhere = theory(was, was + tuned(noise=0.0, seed=9))
    assert abs(elsewhere["class_growth"]) < 0.3
    assert elsewhere["class_units"] < 0.5


@pytest.mark.parametrize("name", ["readout_gain", "readout_alignment", "class_growth"])
def test_noise_alone_is_no_movement_towards_or_away_from_the_classes(name):
    # Noise of the first visit is in the read-out and, with the other sign, in the movement.
    signal = tuned(noise=0.0) * 0.4
    found = []
    for seed in range(60):
        visits = signal + stream(seed).standard_normal((2, *signal.shape))
        found.append(theory(*visits)[name])
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 0.05


def test_a_sample_of_units_tells_what_all_of_them_tell():
    was = tuned(units=2000)
    now = 1.2 * was + 0.3 * tuned(units=2000, seed=3)
    whole, sample = theory(was, now), theory(was[:, :300], now[:, :300])
    for name in MEASURES:
        assert sample[name] == pytest.approx(whole[name], abs=0.15), name


def test_a_read_out_of_as_many_dimensions_as_units_has_no_null_space():
    was = tuned(units=CLASSES - 1)
    found = theory(was, was + tuned(units=CLASSES - 1, seed=1))
    assert [name for name in MEASURES if np.isnan(found[name])] == list(MEASURES[:3])


@pytest.mark.parametrize("labels", [None, np.full(len(LABELS), -1), np.zeros(len(LABELS), int)])
def test_without_two_known_classes_nothing_is_defined(labels):
    assert np.isnan(list(theory(tuned(), tuned(seed=1), labels=labels).values())).all()


def test_stimuli_of_unknown_class_take_no_part():
    visits = [tuned(seed=seed) for seed in (0, 1)]
    more = [np.concatenate([each, 9 + tuned(seed=7)[:5]]) for each in visits]
    labels = np.concatenate([LABELS, np.full(5, -1)])
    assert theory(*more, labels=labels) == pytest.approx(theory(*visits))


def test_units_that_were_lost_take_no_part():
    visits = [tuned(seed=seed) for seed in (0, 1)]
    more = [np.concatenate([each, stream().standard_normal((48, 6))], 1) for each in visits]
    followed = np.ones((2, 2, UNITS + 6), bool)
    followed[0, 1, UNITS:] = followed[1, 0, UNITS:] = False
    assert theory(*more, followed=followed) == pytest.approx(theory(*visits))
    followed[[0, 1], [1, 0]] = False
    assert np.isnan(list(theory(*more, followed=followed).values())).all()


def test_a_layer_that_is_silent_or_does_not_move_has_no_direction():
    was = tuned()
    for visits in ((was, was), (0 * was, was), (was, was + 3.0), (was, was * np.nan)):
        assert np.isnan(list(theory(*visits).values())).all()


def test_dimensions_are_those_of_the_movement():
    changes = {"act_move_dimension": np.array([0.0, 0.7]), "act_move_class_dimension": np.ones(2)}
    found = activity_theory(LayerResponses(np.stack([tuned(), tuned(seed=1)]), LABELS), changes)
    assert found["theory_act_dimension"].tolist() == [0, 0.7]
    assert found["theory_act_class_dimension"].tolist() == [0, 1]


@pytest.mark.parametrize("units", [3, UNITS])
def test_a_movement_is_measured_alike_alone_and_beside_others(units: int):
    visits = np.cumsum([tuned(units=units, seed=seed) for seed in range(6)], axis=0)
    visits[3] = visits[2]  # no movement, of which nothing is measured
    together = activity_theory(LayerResponses(visits, LABELS), {})
    for visit in range(1, 6):
        alone = activity_theory(LayerResponses(visits[visit - 1 : visit + 1], LABELS), {})
        for name, values in together.items():
            np.testing.assert_array_equal(values[visit], alone[name][1], err_msg=name)


def test_units_that_are_all_followed_give_what_fixed_units_give():
    visits = np.cumsum([tuned(seed=seed) for seed in range(4)], axis=0)
    followed = np.ones((4, 4, UNITS), dtype=bool)
    fixed = activity_theory(LayerResponses(visits, LABELS), {})
    found = activity_theory(LayerResponses(visits, LABELS, followed), {})
    for name, values in fixed.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, err_msg=name)
