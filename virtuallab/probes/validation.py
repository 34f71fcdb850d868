"""Problems of a recording design: settings that cannot be recorded of the subjects at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from virtuallab.errors import UnknownName, suggest
from virtuallab.probes.device import Contacts, contact_positions, find_device
from virtuallab.probes.insertion import contacts_per_layer
from virtuallab.probes.noise.noise_model import NoiseModel
from virtuallab.probes.plugin_trial import plugin_problems
from virtuallab.probes.readouts.indicator import Indicator
from virtuallab.probes.resolved import ResolvedProbe
from virtuallab.probes.schedule import Series, Visits
from virtuallab.probes.tissue_geometry import FARTHEST, NEAREST, SIDE, neurons_within
from virtuallab.vocabulary import ACTIVITY, ACTIVITY_CHANGE, OBSERVABLES, WEIGHTS

_STRONGEST: Final = 1e30  # noise, in units of the recording or of the signal's deviation
_STRENGTHS: Final = ("sigma", "snr", "unit_snr")


class Problem(NamedTuple):
    """A setting that cannot be used, as a path (``noise.snr``, ``visits[2]``), and the reason."""

    field: str
    message: str


def problems(
    probe: ResolvedProbe,
    layers: Mapping[str, int],
    synapses: Mapping[str, int],
    n_visits: int,
    n_stimuli: int,
) -> list[Problem]:
    """All problems of a design in a subject; parameters as for :meth:`Probe.check`."""
    found = [
        *_names("observables", "observable", probe.observables, OBSERVABLES),
        *(_names("layers", "layer", probe.layers, layers) if probe.layers is not None else ()),
        *_shortages(probe, layers, synapses),
        *_noise_problems(probe.noise),
        *_correlation_problems(probe),
        *_readout_problems(probe),
        *(Problem(*each) for each in plugin_problems(probe)),
        *visit_problems(probe.visits, n_visits),
        *_stimulus_problems(probe, n_stimuli),
        *_contact_problems(probe),
    ]
    # Turnover can be checked only between visits that exist, and a radius only with units.
    return found or [*_turnover_problems(probe, layers, n_visits), *_radius_problems(probe, layers)]


def device_problems(device: str | Contacts | None) -> Iterator[Problem]:
    """Problem of a device's name: there is no such device."""
    try:
        find_device(device)
    except UnknownName as error:
        yield Problem("device", str(error))


def visit_problems(visits: Visits, n_visits: int) -> Iterator[Problem]:
    """Problems of a schedule where ``n_visits`` visits are preserved."""
    if isinstance(visits, Series):
        yield from _series_problems(visits, n_visits)
    elif isinstance(visits, int):
        yield from _positive("visits", visits)
        if visits > n_visits:
            yield Problem(
                "visits",
                f"{visits} visits asked of {n_visits} that are preserved. Lower it, use 'all', or "
                "preserve more with subjects.visits.",
            )
    elif not visits:
        yield Problem("visits", "no visit is named. Name one, or use 'all'.")
    elif visits != "all":
        yield from _listed_visit_problems(visits, n_visits)


def _listed_visit_problems(visits: Sequence[int], n_visits: int) -> Iterator[Problem]:
    for place, visit in enumerate(visits):
        message = ""
        if visit in visits[:place]:
            message = f"visit {visit} is named twice. Name each visit once."
        elif visit < 0:
            message = f"visits are counted from 0, found {visit}."
        elif visit >= n_visits:
            message = (
                f"visit {visit} is after the end of training: the last visit is {n_visits - 1}."
            )
        elif place and visit < visits[place - 1]:
            message = f"visits must ascend, found {visit} after {visits[place - 1]}."
        if message:
            yield Problem(f"visits[{place}]", message)


def _series_problems(visits: Series, n_visits: int) -> Iterator[Problem]:
    counts = [*_positive("visits.count", visits.count), *_positive("visits.every", visits.every)]
    yield from counts
    if not -n_visits <= visits.first < n_visits:
        yield Problem(
            "visits.first",
            f"there is no visit {visits.first}: {n_visits} are preserved, 0 to {n_visits - 1}.",
        )
    elif not counts and (last := visits.end(n_visits)) >= n_visits:
        yield Problem(
            "visits",
            f"the last of these visits would be {last}; the last that is preserved is "
            f"{n_visits - 1}. Lower count or every, or begin earlier.",
        )


def _positive(field: str, count: object) -> Iterator[Problem]:
    if isinstance(count, int) and count < 1:
        yield Problem(field, f"must be at least 1, found {count}.")


def _names(field: str, noun: str, names: Sequence[str], known: Iterable[str]) -> Iterator[Problem]:
    """Names that do not exist, and names given twice."""
    if not names:
        yield Problem(field, f"no {noun} is named. Known: {', '.join(known)}.")
    for place, name in enumerate(names):
        at = f"{field}[{place}]"
        if name not in known:
            yield Problem(at, f"there is no {noun} {name!r}. {suggest(name, known)}")
        elif name in names[:place]:
            yield Problem(at, f"{noun} {name!r} is named twice. Name each {noun} once.")


def _shortages(
    probe: ResolvedProbe, units: Mapping[str, int], synapses: Mapping[str, int]
) -> Iterator[Problem]:
    yield from _positive("pool", probe.pool)
    yield from _positive("insertions", probe.insertions)
    there = probe.available_units(units) if probe.pool > 0 else {}
    if probe.measures_responses and there:
        yield from _shortage("units", probe.units, probe.units_per_layer, there)
        if not any(there.values()):
            field, advice = "device", "Choose other layers or another device."
            if probe.pool > 1:
                field, advice = "pool", "Lower it."
            yield Problem(field, f"not one unit is found in the layers recorded. {advice}")
    measured = probe.in_recorded_layers(synapses)
    if WEIGHTS in probe.observables and measured:
        yield from _shortage("synapses", probe.synapses, probe.synapses_per_layer, measured)


def _shortage(
    noun: str, total: int | str, each: int | None, there: Mapping[str, int]
) -> Iterator[Problem]:
    """More units (or synapses), in all layers together or in each, than each layer has."""
    field = noun if each is None else f"{noun}_per_layer"
    yield from _positive(field, total if each is None else each)
    if each is not None and total != "all":
        yield Problem(field, f"found both {noun}: {total} and {field}: {each}. Give one of them.")
    elif each is not None:
        small = {layer: size for layer, size in there.items() if size < each}
        if small:
            layer = min(small, key=lambda name: small[name])
            others = f" ({_listed(small)})" if len(small) > 1 else ""
            yield Problem(
                field,
                f"{each} {noun} asked of layer {layer!r}, which has {small[layer]}{others}. "
                f"Lower it, choose other layers, or use '{noun}: all'.",
            )
    elif isinstance(total, int) and total > sum(there.values()):
        yield Problem(
            field,
            f"{total} {noun} asked of {sum(there.values())} in all layers together "
            f"({_listed(there)}). Lower it or use '{noun}: all'.",
        )


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{layer} {size}" for layer, size in sizes.items())


def _noise_problems(noise: NoiseModel) -> Iterator[Problem]:
    strengths = {name: getattr(noise, name) for name in _STRENGTHS}
    given = {name: value for name, value in strengths.items() if value is not None}
    if len(given) > 1:
        found = " and ".join(f"{name}: {value}" for name, value in given.items())
        yield Problem("noise", f"found {found}. Give one of them.")
    if not given and noise.name != noise.default_name:
        yield Problem("noise", f"{noise.name!r} has no strength. Give {', '.join(_STRENGTHS)}.")
    for name, value in given.items():
        if name == "sigma" and not 0 <= value < np.inf:
            yield Problem("noise.sigma", f"must be 0 or a positive number, found {value}.")
        if name != "sigma" and not 0 < value < np.inf:
            words = f"must be a number greater than 0, found {value}. For no noise leave it out."
            yield Problem(f"noise.{name}", words)
        elif value and (value if name == "sigma" else 1 / value) > _STRONGEST:
            change = "Lower" if name == "sigma" else "Raise"
            words = f"noise so strong overflows single precision, found {value:g}. {change} it."
            yield Problem(f"noise.{name}", words)


def _correlation_problems(probe: ResolvedProbe) -> Iterator[Problem]:
    noise = probe.noise
    if not noise.correlation:
        return
    message = ""
    if not 0 <= noise.correlation <= 1:
        message = f"must be a share between 0 and 1, found {noise.correlation}."
    elif not noise.is_present:
        message = f"there is no noise to share. Give {', '.join(_STRENGTHS)}."
    elif ACTIVITY not in probe.observables:
        message = f"applies to {ACTIVITY!r}, which this probe does not measure."
    if message:
        yield Problem("noise.correlation", message)


def _readout_problems(probe: ResolvedProbe) -> Iterator[Problem]:
    if probe.spikes is not None and probe.calcium is not None:
        words = "spikes are given too. A probe records spike counts or fluorescence."
        yield Problem("calcium", words)
    for name in ("spikes", "calcium"):
        if getattr(probe, name) is not None and ACTIVITY not in probe.observables:
            words = f"applies to {ACTIVITY!r}, which this probe does not measure."
            yield Problem(name, words)
    spikes, calcium = probe.spikes, probe.calcium
    if spikes is not None and spikes.refractory > spikes.window / 10:
        words = (
            f"{spikes.refractory:g} s is more than a tenth of the window, {spikes.window:g} s: the "
            "variance of counts in so short a window is not known. Lower it, or raise the window."
        )
        yield Problem("spikes.refractory", words)
    if calcium is not None and calcium.photons is not None and calcium.units != Indicator.units:
        words = f"needs fluorescence in {Indicator.units}, found {calcium.units!r}. Leave it out."
        yield Problem("calcium.photons", words)


def _stimulus_problems(probe: ResolvedProbe, n_stimuli: int) -> Iterator[Problem]:
    if not probe.measures_responses:
        return
    yield from _positive("stimuli", probe.stimuli)
    if n_stimuli < 1:
        words = "the task shows no stimuli to probes. Raise its probe_images."
        yield Problem("stimuli", words)
    elif isinstance(probe.stimuli, int) and probe.stimuli > n_stimuli:
        yield Problem(
            "stimuli",
            f"{probe.stimuli} stimuli asked of a task that has {n_stimuli}. Lower it, raise the "
            "task's probe_images, or use 'stimuli: all'.",
        )


def _contact_problems(probe: ResolvedProbe) -> Iterator[Problem]:
    has_contacts = probe.inserted_device is not None
    if has_contacts and probe.pool > 1:
        words = "needs a probe without contacts: each contact of this device records one unit."
        yield Problem("pool", words)
    if has_contacts and not probe.measures_responses:
        yield Problem(
            "device", f"its contacts record {ACTIVITY!r}, which this probe does not measure."
        )
    if not has_contacts:
        if probe.insertions != 1:
            yield Problem("insertions", "there is no device with contacts to insert.")
        if probe.radius not in (None, "none"):
            yield Problem("radius", "there is no device with contacts, from which it is measured.")
    if probe.drift and probe.pickup_radius is None:
        words = "needs a device with contacts and a pick-up radius. Set a radius, or leave it out."
        yield Problem("drift", words)


def _radius_problems(probe: ResolvedProbe, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """Neurons that are asked for, and not within the pick-up radius."""
    device, radius = probe.inserted_device, probe.pickup_radius
    if device is None or radius is None:
        return
    if not NEAREST <= radius <= FARTHEST:
        yield Problem(
            "radius",
            f"must be between {NEAREST:g} um, within which there is always a neuron, and "
            f"{FARTHEST:g} um, beyond which spikes are not detected, found {radius:g}. "
            "'radius: none' switches it off.",
        )
        return
    contacts = contact_positions(device)
    across = np.ptp(contacts, axis=0)[: 1 if device.placement == "through" else 2].max()
    if across > SIDE:
        yield Problem(
            "device",
            f"its contacts are {across:g} um apart, in a tissue of {SIDE:g} um. Contacts outside "
            "reach no neuron. Choose a smaller device, or 'radius: none'.",
        )
    there = probe.available_units(sizes)
    # Each contact records at most half of the neurons around it: neighbours share theirs.
    most = max(1, int(neurons_within(radius) / 2))
    for layer, count in probe.unit_counts(sizes).items() if any(there.values()) else ():
        placed = probe.insertions * contacts_per_layer(device, list(sizes))[layer]
        if count > most * placed:
            yield Problem(
                "radius",
                f"{count} units asked of layer {layer!r}, where {placed} contacts reach about "
                f"{int(neurons_within(radius))} neurons each. Raise it, or record fewer units.",
            )
            return


def _turnover_problems(
    probe: ResolvedProbe, sizes: Mapping[str, int], n_visits: int
) -> Iterator[Problem]:
    unusable = list(_rate_problems(probe))
    yield from unusable
    if unusable:
        return
    losing = probe.losing
    changing = losing or ("pool" if probe.pool > 1 else None)
    if changing is not None and ACTIVITY_CHANGE in probe.observables:
        yield Problem(
            changing,
            f"{ACTIVITY_CHANGE!r} is measured in single units followed over all visits. Measure "
            f"'observables: [{ACTIVITY}]' instead.",
        )
    if not losing or not probe.measures_responses:
        return
    if probe.pool > 1:
        words = f"averages of many units do not lose single units. Leave out {losing} or pool."
        yield Problem(losing, words)
        return
    all_units = probe.units == "all" and probe.units_per_layer is None
    several = len(probe.visit_indices(n_visits)) > 1
    if all_units and several and not probe.inserted_device and probe.in_recorded_layers(sizes):
        words = "all units are recorded, so none can replace a lost one. Record fewer units."
        yield Problem(losing, words)


def _rate_problems(probe: ResolvedProbe) -> Iterator[Problem]:
    """Shares of units lost and found again that are no shares, or do not go together."""
    for name in ("turnover", "daily_loss", "daily_return"):
        share = getattr(probe, name)
        if not 0 <= share <= 1:
            yield Problem(name, f"must be a share between 0 and 1, found {share}.")
    if probe.turnover and probe.daily_loss:
        words = f"found turnover: {probe.turnover:g} too. Give one of them."
        yield Problem("daily_loss", words)
    elif probe.daily_return and not probe.daily_loss:
        yield Problem("daily_return", "no unit is lost, so none returns. Set daily_loss.")
    elif probe.daily_loss + probe.daily_return > 1:
        rates = f"{probe.daily_return:g} and daily_loss: {probe.daily_loss:g}"
        words = f"{rates} are shares of the same day and must sum to at most 1. Lower one of them."
        yield Problem("daily_return", words)
    if not probe.visit_interval > 0:
        yield Problem("visit_interval", f"must be above 0, found {probe.visit_interval}.")
    if not probe.drift >= 0:
        yield Problem("drift", f"must not be negative, found {probe.drift}.")
