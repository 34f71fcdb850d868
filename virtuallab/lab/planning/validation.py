"""Read a protocol and look a second time: what only the built networks can tell."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from virtuallab.decoder import Analysis
from virtuallab.errors import Fault, ProtocolError
from virtuallab.lab.planning.anatomy import anatomies, architecture_labels
from virtuallab.lab.planning.network_limits import network_faults
from virtuallab.lab.stages.subject_table import columns_of
from virtuallab.probes import Probe
from virtuallab.probes.validation import device_problems
from virtuallab.protocol import Protocol, design_points, expand, read
from virtuallab.protocol.reading.read import faults_in as read_faults
from virtuallab.subject.subject import Subject
from virtuallab.subject.training.compatibility import incompatibility, optimizer_incompatibility


def protocol(path: Path, overrides: Sequence[str] = ()) -> Protocol:
    """Read a protocol that can be carried out.

    Raises
    ------
    ProtocolError
        With every fault: first those of the file itself, and if there are none, those that show
        only against the networks it asks for (a probe with more units than a layer has, a rule for
        dense layers in a convolutional network, a loss that a rule does not know).
    """
    found = read(path, overrides)
    check(found)
    return found


def check(found: Protocol) -> None:
    """Refuse a protocol that cannot be carried out in the networks that it asks for.

    Raises
    ------
    ProtocolError
        With every fault; if a network cannot be built, with the faults of networks alone.
    """
    subjects = expand(found)
    # What cannot be built cannot be looked into.
    messages = network_faults(found, subjects) or {
        **_rule_faults(found, subjects),
        **_probe_faults(subjects, len(found.subjects.visit_steps), _places(found)),
        **_design_faults(found, subjects),
        **_analysis_faults(found, subjects),
    }
    if messages:
        raise ProtocolError(found.fault(*each) for each in messages.items())


def probes_for(path: Path, overrides: Sequence[str], kept: Protocol) -> dict[str, Probe]:
    """Read another protocol's probes, to be implanted in the subjects of a protocol already run.

    Raises
    ------
    ProtocolError
        If a probe asks for what these subjects, or the visits they are preserved at, do not have.
    """
    other = read(path, overrides)
    messages = _probe_faults(expand(kept), len(kept.subjects.visit_steps), _places(other))
    if messages:
        raise ProtocolError(other.fault(*each) for each in messages.items())
    return dict(other.probes)


def check_designs(asked: Protocol, kept: Protocol) -> None:
    """Refuse designs that cannot be had of the subjects of a protocol already run.

    Raises
    ------
    ProtocolError
    """
    subjects = expand(kept)
    probes = _probe_faults(subjects, len(kept.subjects.visit_steps), _designs(asked))
    messages = {**probes, **_unmeasured(asked), **_fold_faults(asked, subjects)}
    if messages:
        raise ProtocolError(asked.fault(*each) for each in messages.items())


def faults_in(paths: Iterable[Path], overrides: Sequence[str] = ()) -> list[Fault]:
    """Collect the faults of several protocols, those that only the built networks show included."""
    return read_faults(paths, overrides, protocol)


def _rule_faults(found: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    """Rules that some networks cannot learn by, or not with their loss or optimizers."""
    places = {entry.label: index for index, entry in enumerate(found.subjects.rules)}
    makes = {(s.label, s.rule, s.architecture, s.task, s.loss): s for s in subjects}
    faults = {
        f"subjects.rules[{places[subject.label]}]": message
        for subject in makes.values()
        if (
            message := incompatibility(
                subject.rule, subject.architecture, subject.task, subject.loss
            )
        )
    }
    for subject in subjects:
        if message := optimizer_incompatibility(subject):
            place = f"subjects.rules[{places[subject.label]}].feedback_optimizer"
            faults.setdefault(place, message)
    return faults


def _places(found: Protocol) -> list[tuple[str, Probe]]:
    return [(f"probes.{name}", probe) for name, probe in found.probes.items()]


def _designs(found: Protocol) -> list[tuple[str, Probe]]:
    """Every design that may be tried, by the place it is written at; of open ones both ends."""
    written = dict(found.compare.designs) if found.compare else {}
    places = [
        (f"compare.designs.{name}", p.probe)
        for name in written
        for p in design_points(written[name])
    ]
    if found.power is None:
        return places
    design = found.power.design
    ends = itertools.product(*((space.low, space.high) for space in design.settings.space.values()))
    made = (design.build(dict(zip(design.settings.space, end, strict=True))) for end in ends)
    return [*places, *(("power.design", probe) for probe in made)]


def _design_faults(found: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    """Designs that the protocol's own subjects do not allow; none, if there are no designs."""
    places = _designs(found)
    if not places:
        return {}
    probes = _probe_faults(subjects, len(found.subjects.visit_steps), places)
    return {**probes, **_unmeasured(found), **_fold_faults(found, subjects)}


def _unmeasured(asked: Protocol) -> dict[str, str]:
    """Designs to be compared that measure nothing of what is read of them."""
    if asked.compare is None or asked.compare.observables is None:
        return {}
    read = asked.compare.observables
    faults: dict[str, str] = {}
    for name, design in asked.compare.designs.items():
        for point in design_points(design):
            if list(device_problems(point.probe.device)):
                continue
            seen = point.probe.resolved.observables
            if "all" not in read and not set(read) & set(seen):
                faults[f"compare.designs.{name}"] = (
                    f"measures {', '.join(seen)}, of which compare.observables reads nothing. Add "
                    "one of these there, or measure what it reads."
                )
    return faults


def _fold_faults(asked: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    """Subjects that are too few to be divided into as many folds."""
    rules = [subject.label for subject in subjects]
    faults: dict[str, str] = {}
    for key in ("compare", "power"):
        section = getattr(asked, key)
        if section is not None:
            how = Analysis(folds=section.folds, inner_folds=section.inner_folds)
            faults |= {f"{key}.{field}": text for field, text in how.check(rules, (), ())}
    return faults


def _probe_faults(
    subjects: Sequence[Subject], n_visits: int, probes: Iterable[tuple[str, Probe]]
) -> dict[str, str]:
    """Message by place; of a place at fault in several networks, the first says it."""
    faults: dict[str, str] = {}
    probes = list(probes)
    for anatomy in anatomies(subjects) if probes else ():
        tissue = anatomy.specimen()
        units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        n_stimuli = len(anatomy.task.stimuli().labels)
        for place, probe in probes:
            for field, message in probe.check(units, synapses, n_visits, n_stimuli):
                at = f"{place}.{field}" if field else place
                faults.setdefault(at, f"in {anatomy.name}: {message}")
    return faults


def _analysis_faults(found: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    rules = [subject.label for subject in subjects]
    architectures = architecture_labels(subjects)
    columns = {name: values.tolist() for name, values in columns_of(subjects).items()}
    measured = {
        name: probe.resolved.observables
        for name, probe in found.probes.items()
        if not list(device_problems(probe.device))
    }
    return {
        f"analyses.{name}.{field}": message
        for name, analysis in found.analyses.items()
        for field, message in (
            *analysis.check(
                rules, architectures, tuple(found.probes), columns=columns, measured=measured
            ),
            *analysis.check_primary(measured),
        )
    }
