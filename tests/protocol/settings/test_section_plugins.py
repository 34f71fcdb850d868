"""Noise models and indicators are read by their name, and written so that they are read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from tests.testing.registered import register
from virtuallab.fields import PositiveFloat, setting
from virtuallab.probes import Calcium, GaussianNoise, NoiseModel, Probe
from virtuallab.protocol.messages.explain import faults_of
from virtuallab.protocol.sections.design import DesignReader, design_points
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.protocol.settings.readers import adapter
from virtuallab.registry import NOISE_MODELS


@dataclass(frozen=True, kw_only=True)
class Tails(NoiseModel):
    """Noise with heavy tails."""

    name: ClassVar[str] = "tails"
    freedom: PositiveFloat = setting(5.0, doc="Degrees of freedom.")

    def sample(self, shape, generator):  # type: ignore[no-untyped-def]
        return generator.standard_t(self.freedom, shape)


class Unheard:
    """A type of which pydantic knows nothing."""


@dataclass(frozen=True, kw_only=True)
class Odd(Tails):
    """Noise with a setting that cannot be read."""

    name: ClassVar[str] = "odd"
    strange: Unheard = setting(None, doc="Strange.")


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, NOISE_MODELS, Tails)


def read(**written: Any) -> Probe:
    found: Probe = adapter(Probe).validate_python(written)
    return found


@pytest.mark.parametrize(
    ("written", "noise"),
    [
        ({"snr": 1.0}, GaussianNoise(snr=1.0)),
        ({"name": "gaussian", "snr": 1}, GaussianNoise(snr=1.0)),
        ({"name": "tails", "sigma": 0.5, "freedom": 3.0}, Tails(sigma=0.5, freedom=3.0)),
        ({}, GaussianNoise()),
        (None, None),
    ],
)
def test_noise_is_read_by_its_name_and_written_so_that_it_is_read_again(
    written: Any, noise: NoiseModel | None
) -> None:
    probe = read(noise=written)
    assert probe.noise == noise
    assert read(**plain(probe)) == probe


def test_the_default_models_and_no_statistics_are_written_as_they_always_were() -> None:
    written = plain(Probe(noise=GaussianNoise(snr=1.0), calcium=Calcium()))
    assert written["noise"] == {"sigma": None, "snr": 1.0, "unit_snr": None}
    assert written["calcium"] == {"decay": 0.5, "interval": 1.0, "saturation": None}
    assert "statistics" not in written


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ({"name": "tail", "snr": 1.0}, ("name",), "no noise model is called 'tail'. Did you mean"),
        ({"name": 3}, ("name",), "should be the name of a noise model, found 3"),
        ({"snr": 1.0, "freedom": 3.0}, ("freedom",), "unknown key"),
        ({"name": "tails", "fredom": 3.0}, ("fredom",), "unknown key. Did you mean 'freedom'"),
        ({"name": "tails", "freedom": 0}, ("freedom",), "should be greater than 0"),
        (3, (), "should be a mapping of keys"),
        ({"snr": "inf"}, ("snr",), "should be a number, found 'inf' (text)."),
    ],
)
def test_what_is_wrong_with_noise_is_said_where_it_is(
    written: Any, place: tuple[str, ...], message: str
) -> None:
    for reading in (read, lambda **design: DesignReader().read(design)):
        with pytest.raises(ValidationError) as refused:
            reading(noise=written)
        [(found, words)] = faults_of(refused.value)
        assert found == ("noise", *place)
        assert message in words
        assert "quotes" not in words


def test_designs_vary_the_settings_of_a_model_and_the_model_itself() -> None:
    design = DesignReader().read({"noise": {"name": "tails", "snr": [1.0, 2.0], "freedom": 3.0}})
    points = design_points(design)
    assert [each.settings for each in points] == [{"noise.snr": 1.0}, {"noise.snr": 2.0}]
    assert points[1].probe.noise == Tails(snr=2.0, freedom=3.0)
    assert plain(design)["noise"] == {"name": "tails", "snr": {"grid": [1.0, 2.0]}, "freedom": 3.0}
    models = DesignReader().read({"noise": {"grid": [{"snr": 1.0}, {"name": "tails", "snr": 1.0}]}})
    found = [each.probe.noise for each in design_points(models)]
    assert found == [GaussianNoise(snr=1.0), Tails(snr=1.0)]


@pytest.mark.parametrize("reader", [adapter(Probe).validate_python, DesignReader().read])
def test_a_model_whose_settings_cannot_be_read_is_refused_alike_by_probes_and_designs(
    reader: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, NOISE_MODELS, Odd)
    with pytest.raises(ValidationError) as refused:
        reader({"noise": {"name": "odd", "strange": 3}})
    [(place, message)] = faults_of(refused.value)
    assert place == ("noise",)
    assert message.startswith("the noise model 'odd' cannot be used: tests.protocol.settings.")
    assert "its settings cannot be read: Unable to generate pydantic-core schema" in message
