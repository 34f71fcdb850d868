"""A recording that is made part by part is the recording of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from tests.probes.rat import N_STIMULI, N_VISITS, Rat, rat, set_on_rats, stream
from virtuallab.probes import Calcium, GaussianNoise, Probe, Spikes
from virtuallab.probes.growing_recording import GrowingRecording
from virtuallab.probes.observables.unit_readout import Part
from virtuallab.probes.preparation import Outline, StaticPreparation

ACTIVITY = ("activity",)
PROBES = {
    "all": Probe(),
    "noise": Probe(units=9, synapses=20, noise=GaussianNoise(snr=1.0, correlation=0.2)),
    "some visits and stimuli": Probe(units=9, visits=(1, 4), stimuli=5),
    "active": Probe(units=6, selection="active", visits=(2, 3, 5), stimuli=7),
    "active and acute": Probe(
        units=6, selection="active", turnover=1.0, stimuli=4, observables=ACTIVITY
    ),
    "active and lost": Probe(
        units=6, selection="active", daily_loss=0.4, daily_return=0.1, observables=ACTIVITY
    ),
    "spikes": Probe(units=9, spikes=Spikes(contamination=0.3, missed=0.1)),
    "calcium": Probe(units=9, calcium=Calcium(amplitude=1.0, order="random")),
    "weights": Probe(observables=("weights",), synapses=30, visits=(0, 5)),
}


def outline(tissue: Rat) -> Outline:
    return Outline.of(tissue, N_VISITS, tissue.labels)


def piece(tissue: Rat, part: Part) -> Rat:
    """Cut a part of a tissue out."""
    visits, stimuli = (slice(each.start, each.stop) for each in (part.visits, part.stimuli))
    return replace(
        tissue,
        responses={n: v[visits, stimuli] for n, v in tissue.responses.items()},
        weights={n: v[visits] for n, v in tissue.weights.items()},
        labels=tissue.labels[stimuli],
        jacobians={n: v[visits, stimuli] for n, v in tissue.jacobians.items()},
    )


def parts(visits: range, shown: int) -> list[Part]:
    every = range(N_STIMULI)
    return [Part(visits, every[first : first + shown]) for first in range(0, N_STIMULI, shown)]


def grown(probe: Probe, at_once: int, shown: int) -> GrowingRecording:
    """Show a rat to a probe, some visits and some stimuli at a time."""
    tissue = rat()
    found = GrowingRecording(
        probe.resolved, outline(tissue), lambda: stream(1), stream(2), set_on_rats(probe)
    )
    for first in range(0, N_VISITS, at_once):
        visits = range(N_VISITS)[first : first + at_once]
        for part in parts(visits, shown) if found.selects(visits) else ():
            found.select(piece(tissue, part), part)
        for part in parts(visits, shown):
            found.read(piece(tissue, part), part)
    return found


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize(("at_once", "shown"), [(6, 10), (1, 10), (4, 3), (1, 1)])
def test_parts_add_up_to_the_recording_of_the_whole(name: str, at_once: int, shown: int) -> None:
    probe, tissue = PROBES[name], rat()
    whole = probe.implant(tissue, stream(1)).record(tissue, stream(2), set_on_rats(probe))
    found = grown(probe, at_once, shown).finish()
    if at_once == N_VISITS and shown == N_STIMULI:
        assert found.identical(whole)
    xr.testing.assert_allclose(found, whole, rtol=1e-6)  # sums over inputs may round differently
    for name, values in whole.variables.items():
        if name != "activity_change":
            assert values.identical(found.variables[name]), name


def test_it_knows_which_visits_it_records_and_where_it_selects_units() -> None:
    active = PROBES["active"]
    tissue = rat()
    found = GrowingRecording(
        active.resolved, outline(tissue), lambda: stream(1), stream(2), set_on_rats(active)
    )
    assert [found.records(range(v, v + 1)) for v in range(6)] == [
        False, False, True, True, False, True,
    ]  # fmt: skip
    assert [found.selects(range(v, v + 1)) for v in range(6)] == [
        False, False, True, False, False, False,
    ]  # fmt: skip


def test_the_same_units_record_something_else_again() -> None:
    probe = PROBES["active and acute"]
    found = grown(probe, 1, 3)
    first = found.finish()
    still = StaticPreparation(rat(5), N_VISITS)

    def shown() -> Iterator[tuple[Part, StaticPreparation]]:
        for part in parts(range(N_VISITS), 4):
            yield part, StaticPreparation(piece(rat(5), part), N_VISITS)

    again = found.again(shown(), stream(3))
    np.testing.assert_array_equal(again["unit_index"], first["unit_index"])
    expected = found.implant.record(still, stream(3), set_on_rats(probe))
    assert again.identical(expected)
