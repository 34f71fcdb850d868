"""Every noise model passes its check, and the check names what a broken one breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tests.testing.registered import register
from virtuallab.fields import PositiveFloat, setting
from virtuallab.probes import NoiseModel
from virtuallab.registry import NOISE_MODELS
from virtuallab.seeds import substream
from virtuallab.testing import check_noise


@pytest.mark.parametrize("name", list(NOISE_MODELS))
def test_a_noise_model_of_this_package_passes(name: str) -> None:
    check_noise(name)


@dataclass(frozen=True, kw_only=True)
class HeavyTails(NoiseModel):
    """Noise of Student's distribution."""

    name: ClassVar[str] = "heavy_tails"
    freedom: PositiveFloat = setting(5.0, doc="Degrees of freedom.")

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return (
            generator.standard_t(self.freedom, shape) / (self.freedom / (self.freedom - 2)) ** 0.5
        )


class Multiplicative(HeavyTails):
    """Grows with the signal."""

    def add(self, values, deviation, generator):  # type: ignore[no-untyped-def]
        return values * (1 + deviation * self.sample(values.shape, generator)).astype(np.float32)


class Counting(HeavyTails):
    """Remembers how often it was drawn."""

    calls = 0

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        Counting.calls += 1
        return super().sample(shape, generator) + Counting.calls


class Global(HeavyTails):
    """Draws from numpy's global stream."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        np.random.standard_normal()  # noqa: NPY002
        return super().sample(shape, generator)


class Constant(HeavyTails):
    """Ignores the generator."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return super().sample(shape, np.random.default_rng(0))


class Loud(HeavyTails):
    """Has a standard deviation of 2."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return 2 * super().sample(shape, generator)


class Shifted(HeavyTails):
    """Has a mean of 1."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return super().sample(shape, generator) + 1


class Flat(HeavyTails):
    """Gives one number a visit."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return generator.standard_normal(shape[0])


class Infinite(HeavyTails):
    """Gives values that are not finite."""

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        found = super().sample(shape, generator)
        found[found > 2] = np.inf
        return found


class Spreading(HeavyTails):
    """Centres the recording."""

    def add(self, values, deviation, generator):  # type: ignore[no-untyped-def]
        noisy = super().add(values, deviation, generator)
        with np.errstate(invalid="ignore"):
            return noisy + 0 * noisy.mean()


class Private(HeavyTails):
    """Adds noise of its own to each unit, whatever correlation is set."""

    def add(self, values, deviation, generator):  # type: ignore[no-untyped-def]
        return HeavyTails().add(values, deviation, generator)


class Doubled(HeavyTails):
    """Adds the noise that units share to the whole of their own."""

    def add(self, values, deviation, generator):  # type: ignore[no-untyped-def]
        noisy = HeavyTails().add(values, deviation, generator)
        if not self.correlation:
            return noisy
        strength = deviation * (self.correlation / (1 - self.correlation)) ** 0.5
        common = self.sample((*values.shape[:-1], 1), substream(generator, "common"))
        return (noisy + strength * common).astype(values.dtype)


class Weak(HeavyTails):
    """Takes a ratio for its inverse."""

    def deviation(self, spread):  # type: ignore[no-untyped-def]
        return self.sigma if self.ratio is None else spread.layer * self.ratio


def test_a_noise_model_from_outside_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, NOISE_MODELS, HeavyTails)
    check_noise("heavy_tails")
    check_noise(HeavyTails(freedom=8.0, snr=2.0))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Multiplicative, "signal of activity is removed"),
        (Counting, "does not repeat itself"),
        (Global, "numpy's global random stream"),
        (Constant, "is the same for two generators"),
        (Loud, "has a standard deviation of 2.0"),
        (Shifted, "has a mean of 1.00"),
        (Flat, r"samples the shape \(3,\)"),
        (Infinite, "not finite"),
        (Spreading, "spreads values that are not finite"),
        (Private, "gives units a correlation of 0.00 in place of 0.25"),
        (Doubled, "has another standard deviation where units share noise"),
        (Weak, "has a deviation of 18 for snr: 3"),
    ],
)
def test_what_a_noise_model_breaks_is_named(
    broken: type[NoiseModel], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, NOISE_MODELS, broken)
    state = np.random.get_state()  # noqa: NPY002
    with pytest.raises(AssertionError, match=f"noise model 'heavy_tails' .*{message}"):
        check_noise(broken)
    np.random.set_state(state)  # noqa: NPY002


def test_a_class_without_a_name_is_told_how_to_get_one() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Nameless(NoiseModel):
        def sample(self, shape, generator):  # type: ignore[no-untyped-def]
            return generator.standard_normal(shape)

    with pytest.raises(AssertionError, match=r"put @NOISE_MODELS\.register"):
        check_noise(Nameless)
