"""Read a protocol and look a second time: what only the built networks can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from virtuallab.errors import Fault, ProtocolError
from virtuallab.lab.anatomy import anatomies, architecture_labels
from virtuallab.probe import Probe
from virtuallab.protocol import Protocol, expand, fault, read, visit_steps
from virtuallab.subject.fit import misfit


def protocol(path: Path, overrides: Sequence[str] = ()) -> Protocol:
    """Read a protocol that can be carried out.

    Raises
    ------
    ProtocolError
        With every fault: first those of the file itself, and if there are none, those that show
        only against the networks it asks for (a probe with more units than a layer has, a rule for
        dense layers in a convolutional network).
    """
    found = read(path, overrides)
    messages = {
        **_rule_faults(found),
        **_probe_faults(found, found.probes),
        **_analysis_faults(found),
    }
    if messages:
        raise ProtocolError(fault(found, *each) for each in messages.items())
    return found


def probes_for(path: Path, overrides: Sequence[str], kept: Protocol) -> dict[str, Probe]:
    """Read another protocol's probes, to be implanted in the subjects of a protocol already run.

    Raises
    ------
    ProtocolError
        If a probe asks for what these subjects, or the visits they are preserved at, do not have.
    """
    other = read(path, overrides)
    messages = _probe_faults(kept, other.probes)
    if messages:
        raise ProtocolError(fault(other, *each) for each in messages.items())
    return dict(other.probes)


def faults_in(paths: Iterable[Path], overrides: Sequence[str] = ()) -> list[Fault]:
    """Collect the faults of several protocols."""
    faults: list[Fault] = []
    for path in paths:
        try:
            protocol(path, overrides)
        except ProtocolError as error:
            faults.extend(error.faults)
    return faults


def _rule_faults(found: Protocol) -> dict[str, str]:
    """Rules that some of the networks cannot learn by."""
    places = {regime.label: index for index, regime in enumerate(found.subjects.rules)}
    return {
        f"subjects.rules[{places[subject.label]}]": message
        for subject in expand(found)
        if (message := misfit(subject.rule, subject.architecture, subject.task))
    }


def _probe_faults(found: Protocol, probes: Mapping[str, Probe]) -> dict[str, str]:
    """Message by place; of a place at fault in several networks, the first says it."""
    faults: dict[str, str] = {}
    n_visits = len(visit_steps(found))
    for anatomy in anatomies(expand(found)):
        tissue = anatomy.specimen()
        units = {layer: tissue.responses[layer].shape[-1] for layer in tissue.layers}
        synapses = {layer: tissue.weights[layer].shape[-1] for layer in tissue.layers}
        n_stimuli = len(anatomy.task.stimuli().labels)
        for name, probe in probes.items():
            for field, message in probe.check(units, synapses, n_visits, n_stimuli):
                place = f"probes.{name}.{field}" if field else f"probes.{name}"
                faults.setdefault(place, f"in {anatomy.name}: {message}")
    return faults


def _analysis_faults(found: Protocol) -> dict[str, str]:
    subjects = expand(found)
    rules = [subject.label for subject in subjects]
    architectures = architecture_labels(subjects)
    return {
        f"analyses.{name}.{field}": message
        for name, analysis in found.analyses.items()
        for field, message in analysis.check(rules, architectures, tuple(found.probes))
    }
