"""Every indicator passes its check, and the check names what a broken one breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tests.testing.registered import register
from virtuallab.fields import PositiveFloat, setting
from virtuallab.probes import Indicator
from virtuallab.registry import INDICATORS
from virtuallab.testing import check_indicator


@pytest.mark.parametrize("name", list(INDICATORS))
def test_an_indicator_of_this_package_passes(name: str) -> None:
    check_indicator(name)


@dataclass(frozen=True, kw_only=True)
class Dye(Indicator):
    """A fast dye with a threshold."""

    name: ClassVar[str] = "dye"
    threshold: PositiveFloat = setting(0.1, doc="Weakest response that is visible.")

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        return np.maximum(responses - self.threshold, 0).astype(np.float32)


class Normalised(Dye):
    """Divides by the mean of all units."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        found = super().fluorescence(responses)
        return found / found.mean(-1, keepdims=True)


class Calibrated(Dye):
    """Divides by the largest value of all visits."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        found = super().fluorescence(responses)
        return found / (1 + found.max((0, 1), keepdims=True))


class Prescient(Dye):
    """Averages over all stimuli."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        found = super().fluorescence(responses)
        return found + found.mean(1, keepdims=True)


class Shot(Dye):
    """Adds photon noise."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        found = super().fluorescence(responses)
        return found + np.random.standard_normal(found.shape).astype(np.float32)  # noqa: NPY002


class InPlace(Dye):
    """Changes the responses."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        responses *= 2
        return super().fluorescence(responses)


class Double(Dye):
    """Returns double precision."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        return super().fluorescence(responses).astype(np.float64)


class Undefined(Dye):
    """Takes the logarithm of zero."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        with np.errstate(divide="ignore"):
            return np.log(super().fluorescence(responses))


class Averaged(Dye):
    """Returns one value a unit."""

    def fluorescence(self, responses):  # type: ignore[no-untyped-def]
        return super().fluorescence(responses).mean(1)


class Unitless(Dye):
    """Has no units."""

    units: ClassVar[str] = ""


def test_an_indicator_from_outside_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, INDICATORS, Dye)
    check_indicator(Dye(threshold=0.3))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Normalised, "if there are other units"),
        (Calibrated, "if there are other visits"),
        (Prescient, "if there are later stimuli"),
        (Shot, "is random"),
        (InPlace, "changes the responses"),
        (Double, "returns float64"),
        (Undefined, "not finite"),
        (Averaged, r"returns the shape \(4, 160\)"),
        (Unitless, "has no units"),
    ],
)
def test_what_an_indicator_breaks_is_named(
    broken: type[Indicator], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, INDICATORS, broken)
    state = np.random.get_state()  # noqa: NPY002
    with pytest.raises(AssertionError, match=f"indicator 'dye' .*{message}"):
        check_indicator(broken)
    np.random.set_state(state)  # noqa: NPY002
