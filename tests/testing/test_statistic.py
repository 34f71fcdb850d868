"""Every statistic passes its check, and the check names what a broken one breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tests.testing.registered import register
from virtuallab.probes import Statistic
from virtuallab.registry import STATISTICS
from virtuallab.testing import check_statistic


@pytest.mark.parametrize("name", list(STATISTICS))
def test_a_statistic_of_this_package_passes(name: str) -> None:
    check_statistic(name)


@dataclass(frozen=True, kw_only=True)
class Spread(Statistic):
    """Coefficient of variation of a layer's responses."""

    name: ClassVar[str] = "spread"

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        flat = values.reshape(len(values), -1)
        return flat.std(1) / np.abs(flat).mean(1)


class OfWeights(Spread):
    """The same of weights."""

    observable = "weights"


class OfChange(Spread):
    """The same of the activity change."""

    observable = "activity_change"


class Scaled(Spread):
    """Depends on the scale."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        return values.reshape(len(values), -1).std(1)


class Prescient(Spread):
    """Divides by the last visit."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        found = super().compute(values, labels)
        return found / found[-1]


class Ordered(Spread):
    """Reads the first half of the units."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        return super().compute(values[..., : values.shape[-1] // 2], labels)


class Turning(Spread):
    """Cosine with the first visit."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        flat = values.reshape(len(values), -1)
        norm = np.linalg.norm(flat, axis=1)
        return flat @ flat[0] / (norm * norm[0])


class Followed(Turning):
    """Says that it follows units."""

    follows_units = True


class Random(Spread):
    """Adds noise."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        return super().compute(values, labels) + np.random.random()  # noqa: NPY002


class Wide(Spread):
    """Gives one value a unit."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        return values.mean(1)


class InPlace(Spread):
    """Changes the values."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        values -= values.mean()
        return super().compute(values, labels)


class Strict(Spread):
    """Raises for silent layers."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        if not values.any():
            raise ZeroDivisionError("silent")
        return super().compute(values, labels)


class Labelled(Spread):
    """Needs labels."""

    def compute(self, values, labels):  # type: ignore[no-untyped-def]
        return super().compute(values[:, labels == labels[0]], labels)


class Taken(Spread):
    """Has the name of a published statistic."""

    name: ClassVar[str] = "actabs_mean"


class Odd(Spread):
    """Is of no observable."""

    observable = "spikes"


@pytest.mark.parametrize("statistic", [Spread, OfWeights, OfChange, Followed])
def test_a_statistic_from_outside_passes(
    statistic: type[Statistic], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, STATISTICS, statistic)
    check_statistic(statistic)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Scaled, "is not scale-free"),
        (Prescient, "depends on later visits"),
        (Ordered, "order of the units"),
        (Turning, "set follows_units = True"),
        (Random, "does not repeat itself"),
        (Wide, r"returns the shape \(4, 160\)"),
        (InPlace, "changes the values"),
        (Strict, "raises ZeroDivisionError for a silent layer"),
        (Labelled, "raises TypeError for a recording without labels"),
        (Taken, "has the name of a statistic"),
        (Odd, "is of 'spikes'; use one of weights"),
    ],
)
def test_what_a_statistic_breaks_is_named(
    broken: type[Statistic], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, STATISTICS, broken)
    state = np.random.get_state()  # noqa: NPY002
    with pytest.raises(AssertionError, match=f"statistic '.*' .*{message}"):
        check_statistic(broken)
    np.random.set_state(state)  # noqa: NPY002


def test_a_statistic_that_is_not_registered_is_named() -> None:
    with pytest.raises(AssertionError, match="is not registered"):
        check_statistic(Spread)
