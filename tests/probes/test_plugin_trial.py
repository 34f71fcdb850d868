"""Plug-ins of a design that cannot be used are named before anything is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.probes.rat import N_STIMULI, N_SYNAPSES, N_VISITS, SIZES
from tests.testing.registered import register
from virtuallab.probes import Indicator, NoiseModel, Probe, Statistic
from virtuallab.registry import STATISTICS


def problems(probe: Probe) -> dict[str, str]:
    return dict(probe.check(SIZES, N_SYNAPSES, N_VISITS, N_STIMULI))


@dataclass(frozen=True, kw_only=True)
class Tails(NoiseModel):
    name: ClassVar[str] = "tails"

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return generator.standard_t(5, shape)


class Failing(Tails):
    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return generator.cauchy(shape)


class Flat(Tails):
    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return generator.standard_normal(shape[:-1])


@dataclass(frozen=True, kw_only=True)
class Dye(Indicator):
    name: ClassVar[str] = "dye"

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        return responses.mean(1)


def statistic(follows: bool = False, of: str = "activity") -> Callable[..., Any]:
    def made(compute: Callable[..., Any]) -> Any:
        body = {"name": "mine", "observable": of, "follows_units": follows, "compute": compute}
        return dataclass(frozen=True, kw_only=True)(type("Mine", (Statistic,), body))

    return made


def test_what_can_be_used_is_let_pass() -> None:
    assert problems(Probe(noise=Tails(snr=1.0), statistics=("sparseness",))) == {}


@pytest.mark.parametrize(
    ("probe", "field", "message"),
    [
        (Probe(noise=Tails()), "noise", "'tails' has no strength. Give sigma, snr, unit_snr."),
        (
            Probe(noise=Failing(snr=1.0)),
            "noise",
            "noise model 'tails': sample raises AttributeError",
        ),
        (
            Probe(noise=Flat(snr=1.0)),
            "noise",
            r"returns the shape \(3, 4\) in place of \(3, 4, 5\)",
        ),
        (Probe(calcium=Dye()), "calcium", "indicator 'dye': fluorescence returns the shape"),
        (Probe(statistics=("spareness",)), "statistics[0]", "Did you mean 'sparseness'"),
        (Probe(statistics=("sparseness",) * 2), "statistics[1]", "is named twice"),
        (
            Probe(statistics=("sparseness",), observables=("weights",)),
            "statistics[0]",
            "applies to 'activity', which this probe does not measure",
        ),
    ],
)
def test_what_cannot_be_used_is_named(probe: Probe, field: str, message: str) -> None:
    found = problems(probe)
    assert list(found) == [field]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found[field])


@pytest.mark.parametrize(
    ("plugin", "design", "message"),
    [
        (statistic()(lambda self, values, labels: values.mean()), {}, r"returns the shape \(\)"),
        (statistic()(lambda self, values, labels: 1 / 0), {}, "compute raises ZeroDivisionError"),
        (
            statistic()(lambda self, values, labels: np.array(["a", "b", "c"])),
            {},
            "not numbers",
        ),
        (
            statistic(follows=True)(lambda self, values, labels: values.mean((1, 2))),
            {"turnover": 0.5, "units": 9, "observables": ("activity",)},
            "follows units, and a turnover of 0.5 replaces them",
        ),
        (
            statistic(follows=True)(lambda self, values, labels: values.mean((1, 2))),
            {"daily_loss": 0.1, "units": 9, "observables": ("activity",)},
            "follows units, and a daily_loss of 0.1 replaces them",
        ),
    ],
)
def test_a_statistic_that_cannot_be_used_is_named(
    plugin: Any, design: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, STATISTICS, plugin)
    found = problems(Probe(statistics=("mine",), **design))
    assert list(found) == ["statistics[0]"]
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found["statistics[0]"])


def test_the_name_of_a_published_statistic_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = statistic()(lambda self, values, labels: values.mean((1, 2)))
    plugin.name = "actabs_mean"
    register(monkeypatch, STATISTICS, plugin)
    found = problems(Probe(statistics=("actabs_mean",)))
    assert "every recording has a statistic 'actabs_mean'" in found["statistics[0]"]
