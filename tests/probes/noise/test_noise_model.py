"""What every noise model shares: its strength, and how noise is added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from virtuallab.probes import GaussianNoise, NoiseModel
from virtuallab.probes.noise.calibration import Spread

SPREAD = Spread(layer=6.0, unit=2.0)


@dataclass(frozen=True, kw_only=True)
class Ones(NoiseModel):
    """Noise that is always 1, so that its deviation can be read from the values."""

    name = "ones"

    def sample(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
        return np.ones(shape)


@pytest.mark.parametrize(
    ("settings", "ratio", "deviation"),
    [
        ({}, None, 0.0),
        ({"sigma": 0.0}, None, 0.0),
        ({"sigma": 0.5}, None, 0.5),
        ({"snr": 3.0}, 3.0, 2.0),
        ({"unit_snr": 4.0}, 4.0, 0.5),
    ],
)
def test_the_deviation_follows_from_the_strength_that_is_given(
    settings: dict[str, float], ratio: float | None, deviation: float
) -> None:
    model = Ones(**settings)
    assert model.ratio == ratio
    assert model.deviation(SPREAD) == deviation
    assert model.is_present == (deviation > 0)


def test_an_absolute_deviation_needs_no_calibration_and_a_ratio_does() -> None:
    assert Ones(sigma=0.5).deviation(None) == 0.5
    with pytest.raises(ValueError, match=r"needs a calibration; see `Probe\.calibrate`"):
        Ones(snr=1.0).deviation(None)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_noise_is_scaled_by_the_deviation_in_the_precision_of_the_values(
    kind: type[np.floating],
) -> None:
    values = np.arange(6, dtype=kind).reshape(1, 2, 3)
    noisy = Ones().add(values, 0.5, np.random.default_rng(0))
    assert noisy.dtype == kind
    np.testing.assert_array_equal(noisy, values + 0.5)
    np.testing.assert_array_equal(values, np.arange(6).reshape(1, 2, 3))


def test_without_a_deviation_no_random_number_is_drawn() -> None:
    class Failing(Ones):
        def sample(self, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
            raise AssertionError("noise was sampled")

    values = np.zeros((1, 2))
    assert Failing().add(values, 0.0, np.random.default_rng(0)) is values


def test_noise_beyond_single_precision_is_infinite_without_a_warning() -> None:
    noisy = Ones().add(np.full((1, 2), 3e38, np.float32), 3e38, np.random.default_rng(0))
    assert np.isposinf(noisy).all()


def test_a_section_names_the_model_unless_it_is_the_default_one() -> None:
    assert Ones(snr=2.0).written() == {"name": "ones", "sigma": None, "snr": 2.0, "unit_snr": None}
    found = NoiseModel.from_section({"snr": 2.0})
    assert type(found).name == NoiseModel.default_name == "gaussian"
    assert "name" not in found.written()


@pytest.mark.parametrize("correlation", [0.05, 0.25, 1.0])
def test_units_have_the_stated_correlation_and_the_stated_deviation(correlation: float) -> None:
    draws = 4000
    noise = GaussianNoise(sigma=2.0, correlation=correlation)
    found = noise.add(np.zeros((10, draws // 10, 6)), 2.0, np.random.default_rng(1))
    pairs = np.corrcoef(found.reshape(draws, 6), rowvar=False)[np.triu_indices(6, 1)]
    # Five standard errors of a correlation and of a standard deviation, of so many draws.
    np.testing.assert_allclose(
        pairs, correlation, atol=5 * (1 - correlation**2) / draws**0.5 + 1e-6
    )
    np.testing.assert_allclose(found.std((0, 1)), 2.0, rtol=5 / (2 * draws) ** 0.5)


def test_common_noise_is_drawn_anew_at_each_visit_and_stimulus() -> None:
    found = GaussianNoise(sigma=1.0, correlation=1.0).add(
        np.zeros((3, 5, 4), np.float32), 1.0, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(found, np.repeat(found[..., :1], 4, axis=-1))
    assert len(np.unique(found)) == 15
    assert found.dtype == np.float32


def test_common_noise_moves_no_random_number_of_the_units() -> None:
    shape = (2, 3, 4)
    alone, shared = (
        GaussianNoise(sigma=1.0, correlation=c).add(np.zeros(shape), 1.0, np.random.default_rng(1))
        for c in (0.0, 0.5)
    )
    rest = shared - np.float32(0.5**0.5) * alone
    np.testing.assert_allclose(rest, np.repeat(rest[..., :1], 4, axis=-1), atol=1e-6)


def test_a_correlation_is_written_only_where_there_is_one() -> None:
    assert "correlation" not in GaussianNoise(snr=2.0).written()
    shared = GaussianNoise(snr=2.0, correlation=0.1)
    assert shared.written()["correlation"] == 0.1
    assert NoiseModel.from_section(shared.written()) == shared
    assert shared.independent == GaussianNoise(snr=2.0)
