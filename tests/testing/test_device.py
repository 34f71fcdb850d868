"""Every device passes its check, and the check names what a broken one breaks."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import probeinterface
import pytest

from tests.testing.registered import register
from virtuallab.probes import Device, GaussianNoise, Presets
from virtuallab.registry import DEVICES
from virtuallab.testing import check_device


@pytest.mark.parametrize("name", list(DEVICES))
def test_a_device_of_this_package_passes(name: str) -> None:
    check_device(name)


class Comb(Device):
    """Four shanks with eight contacts."""

    name: ClassVar[str] = "comb"
    units = 30
    presets = Presets(observables=("activity",), noise=GaussianNoise(unit_snr=2.0))

    def geometry(self):  # type: ignore[no-untyped-def]
        return probeinterface.generate_multi_columns_probe(
            num_columns=4, num_contact_per_column=8, xpitch=250, ypitch=100
        )


class Averaging(Device):
    """Averages of eight units, without contacts."""

    name: ClassVar[str] = "averaging"
    presets = Presets(observables=("activity",), pool=8)


class Bare(Comb):
    """Separates units without contacts."""

    def geometry(self):  # type: ignore[no-untyped-def]
        return None


class Blind(Comb):
    """Has contacts and separates no units."""

    units = 0


class Large(Comb):
    """Is in mm."""

    def geometry(self):  # type: ignore[no-untyped-def]
        probe = super().geometry()
        probe.si_units = "mm"
        return probe


class Wide(Comb):
    """Is larger than the tissue."""

    placement = "within"

    def geometry(self):  # type: ignore[no-untyped-def]
        return probeinterface.generate_multi_columns_probe(
            num_columns=4, num_contact_per_column=8, xpitch=2500, ypitch=100
        )


class Sideways(Comb):
    """Has a placement that does not exist."""

    placement = "across"  # type: ignore[assignment]


class Deaf(Comb):
    """Has a pick-up radius of nothing."""

    radius = 0.0


class Crowded(Comb):
    """Isolates more units than it has contacts."""

    units = 33


class Shared(Comb):
    """Isolates more units than there are neurons within reach of its contacts."""

    units, radius, shared_contacts = 150, 20.0, True

    def geometry(self):  # type: ignore[no-untyped-def]
        return probeinterface.generate_tetrode(r=10)


class Silent(Comb):
    """Presets an impossible ratio."""

    presets = Presets(observables=("activity",), noise=GaussianNoise(snr=-1.0))


class Greedy(Comb):
    """Presets more units than it separates."""

    presets = Presets(observables=("activity",), units=10_000)


class Restless(Comb):
    """Has other contacts at each call."""

    calls = 0

    def geometry(self):  # type: ignore[no-untyped-def]
        Restless.calls += 1
        probe = probeinterface.Probe(ndim=2, si_units="um")
        where = np.column_stack([np.zeros(8), 600.0 * Restless.calls + np.arange(8)])
        probe.set_contacts(positions=where, shapes="circle")
        return probe


@pytest.mark.parametrize("device", [Comb, Averaging])
def test_a_device_from_outside_passes(
    device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, DEVICES, device)
    check_device(device)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Bare, "separates 30 units and has no contacts"),
        (Blind, "separates 0 units and has contacts"),
        (Large, "has contacts in mm"),
        (Wide, "is larger than the tissue of 4000 um: 7500 um"),
        (Sideways, "has the placement 'across'"),
        (Deaf, "has a pick-up radius of 0 um; it is 20 to 200 um"),
        (Crowded, "isolates 33 units with 32 contacts"),
        (Shared, "isolates more units of conv2 than its contacts reach neurons"),
        (Silent, "has a preset noise.snr that is refused: should be greater than 0"),
        (Greedy, "cannot be used without further settings: units: 10000 units asked"),
        (Restless, "has other contacts at each call"),
    ],
)
def test_what_a_device_breaks_is_named(
    broken: type[Device], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, DEVICES, broken)
    with pytest.raises(AssertionError, match=f"device 'comb' .*{message}"):
        check_device(broken)


def test_a_device_that_is_not_registered_is_named() -> None:
    with pytest.raises(AssertionError, match="is not registered"):
        check_device(Comb)
