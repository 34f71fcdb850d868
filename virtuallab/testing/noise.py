"""Conformance check of noise models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from virtuallab.probes.noise.calibration import Spread
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.probe import Probe
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.registry import NOISE_MODELS
from virtuallab.testing.planted_preparation import planted_preparation, signal_removed
from virtuallab.testing.plugin import broken, global_state, plugin_instance

# Of activity, of weights, of a layer without units, of noise that units have in common.
_SHAPES = ((3, 7, 5), (3, 11), (3, 7, 0), (3, 7, 1))
_DRAWS, _LARGE = 40, (4, 12, 50)
_TOLERANCE = 0.1  # of the standard deviation over all draws
_CORRELATION = 0.25


def check_noise(noise: str | type[NoiseModel] | NoiseModel) -> None:
    """Check that noise belongs to the instrument: it is the same whatever is recorded.

    Its samples have the shape that is wanted, are finite, have mean 0 and standard deviation 1, and
    are determined by the generator. Of units that share noise it has the stated correlation, and
    the same standard deviation. A probe adds the same noise to a subject and to a preparation
    without signal, so that the control *noise alone* is valid. Missing and exploded responses stay
    where they are. Its settings are written to a protocol.

    Parameters
    ----------
    noise : str, type or NoiseModel
        A registered name, a class, or an instance. A name or a class is checked with its default
        settings.

    Raises
    ------
    AssertionError
        With what the noise model breaks.
    """
    model = plugin_instance(noise, NOISE_MODELS, NoiseModel)
    _check_samples(model)
    _check_strength(model)
    model = replace(model, sigma=0.5, snr=None, unit_snr=None)
    shared = replace(model, correlation=_CORRELATION)
    for each in (model, shared):
        _check_signal_removed(each)
        _check_not_finite(each)
    _check_correlation(shared)
    if NoiseModel.from_section(plain(model)) != model:
        broken("noise model", model, "is another one after it was written to a protocol")


def _check_samples(model: NoiseModel) -> None:
    before = global_state()
    for shape in _SHAPES:
        first, again, other = (model.sample(shape, np.random.default_rng(n)) for n in (1, 1, 2))
        if first.shape != shape:
            broken("noise model", model, f"samples the shape {first.shape} in place of {shape}")
        if not np.array_equal(first, again):
            broken("noise model", model, "does not repeat itself; draw from the generator alone")
        if first.size and np.array_equal(first, other):
            broken("noise model", model, "is the same for two generators; draw from the generator")
    if global_state() != before:
        broken("noise model", model, "draws from numpy's global random stream")
    drawn = np.stack([model.sample(_LARGE, np.random.default_rng(n)) for n in range(_DRAWS)])
    if not np.isfinite(drawn).all():
        broken("noise model", model, "samples values that are not finite")
    if abs(drawn.mean(dtype=float)) > _TOLERANCE:
        broken("noise model", model, f"has a mean of {drawn.mean():.2f} in place of 0")
    if abs(drawn.std(dtype=float) - 1) > _TOLERANCE:
        broken("noise model", model, f"has a standard deviation of {drawn.std():.2f} in place of 1")


def _check_strength(model: NoiseModel) -> None:
    spread = Spread(layer=6.0, unit=2.0)
    for strength, wanted in (("sigma", 3.0), ("snr", 2.0), ("unit_snr", 2 / 3)):
        settings: dict[str, Any] = {"sigma": None, "snr": None, "unit_snr": None, strength: 3.0}
        found = replace(model, **settings).deviation(spread)
        if not np.isclose(found, wanted):
            broken("noise model", model, f"has a deviation of {found:g} for {strength}: 3")


def _check_correlation(model: NoiseModel) -> None:
    """Compare the noise of units that share some with the stated correlation."""
    silent = np.zeros(_LARGE, dtype=np.float32)

    def drawn(noise: NoiseModel) -> np.ndarray:
        each = [noise.add(silent, 1.0, np.random.default_rng(n)) for n in range(_DRAWS)]
        return np.concatenate(each).reshape(-1, _LARGE[-1])

    shared, own = drawn(model), drawn(model.independent)
    others = ~np.eye(_LARGE[-1], dtype=bool)
    # A model may correlate units by itself; a share of that noise is replaced.
    before, after = (np.corrcoef(each, rowvar=False)[others].mean() for each in (own, shared))
    wanted = model.correlation + (1 - model.correlation) * before
    if abs(after - wanted) > _TOLERANCE / 2:
        broken(
            "noise model",
            model,
            f"gives units a correlation of {after:.2f} in place of {wanted:.2f}; let the base "
            "class add the noise that units share",
        )
    if abs(shared.std(dtype=float) - own.std(dtype=float)) > _TOLERANCE:
        broken("noise model", model, "has another standard deviation where units share noise")


def _check_signal_removed(model: NoiseModel) -> None:
    """Compare the noise in a subject with that in a preparation without signal."""
    probe, clean = Probe(units=50, noise=model), Probe(units=50)
    calibration = probe.calibrate(planted_preparation(9), np.random.default_rng(9))
    for name in ("activity", "weights"):
        found = []
        for preparation in (planted_preparation(), signal_removed()):
            noisy, silent = (
                each.implant(preparation, np.random.default_rng(1))
                .record(preparation, np.random.default_rng(2), calibration)[name]
                .to_numpy()
                for each in (probe, clean)
            )
            found.append(noisy.astype(float) - silent)
        with_signal, without = found
        if not np.allclose(with_signal, without, atol=1e-4):
            broken(
                "noise model",
                model,
                f"differs where the signal of {name} is removed; noise that depends on the signal "
                "reveals how the recorded population grows",
            )


def _check_not_finite(model: NoiseModel) -> None:
    values = np.ones((3, 7, 5), dtype=np.float32)
    values[0, 1, 2], values[1] = np.nan, np.inf
    noisy = model.add(values, 1.0, np.random.default_rng(1))
    if noisy.dtype != values.dtype or not np.array_equal(np.isfinite(noisy), np.isfinite(values)):
        broken("noise model", model, "spreads values that are not finite to others")
