"""Conformance check of activity indicators."""

from __future__ import annotations

import numpy as np

from virtuallab.probes.probe import Probe
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.registry import INDICATORS
from virtuallab.testing.planted_preparation import planted_preparation
from virtuallab.testing.plugin import broken, global_state, plugin_instance


def check_indicator(indicator: str | type[Indicator] | Indicator) -> None:
    """Check that an indicator gives finite fluorescence that each unit determines by itself.

    Fluorescence has the shape of the responses, in single precision, and is the same at each call.
    That of a unit does not depend on other units, that of a visit not on other visits, and that of
    a stimulus not on later ones. A probe records it in the indicator's units.

    Parameters
    ----------
    indicator : str, type or Indicator
        A registered name, a class, or an instance.

    Raises
    ------
    AssertionError
        With what the indicator breaks.
    """
    found = plugin_instance(indicator, INDICATORS, Indicator)
    responses = planted_preparation().responses["fc3"] - np.float32(0.2)  # some below zero
    kept, before = responses.copy(), global_state()
    whole = found.fluorescence(responses)
    if whole.shape != responses.shape:
        _broken(found, f"returns the shape {whole.shape} for responses {responses.shape}")
    if whole.dtype != np.float32:
        _broken(found, f"returns {whole.dtype} in place of float32")
    if not np.isfinite(whole).all():
        _broken(found, "gives values that are not finite")
    if not np.array_equal(responses, kept):
        _broken(found, "changes the responses it is given; work on a copy")
    if not np.array_equal(found.fluorescence(responses), whole) or global_state() != before:
        _broken(found, "is random; `photons` and the probe's noise stand for photon noise")
    parts = {
        "other units": (found.fluorescence(responses[..., 3:9]), whole[..., 3:9]),
        "other visits": (found.fluorescence(responses[2:3]), whole[2:3]),
        "later stimuli": (found.fluorescence(responses[:, :5]), whole[:, :5]),
    }
    for others, (alone, together) in parts.items():
        if not np.allclose(alone, together, rtol=1e-5, atol=1e-6):
            _broken(found, f"gives a unit another fluorescence if there are {others}")
    if Indicator.from_section(plain(found)) != found:
        _broken(found, "is another one after it was written to a protocol")
    probe, preparation = Probe(calcium=found, observables=("activity",)), planted_preparation()
    stream = np.random.default_rng(1)
    recording = probe.implant(preparation, stream).record(preparation, stream)
    if not found.units or recording["activity"].attrs["units"] != found.units:
        _broken(found, "has no units")


def _broken(indicator: Indicator, what: str) -> None:
    broken("indicator", indicator, what)
