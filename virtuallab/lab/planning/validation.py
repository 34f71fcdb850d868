"""Validation of a protocol against the networks that it asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from virtuallab.decoder import Analysis
from virtuallab.errors import Fault, ProtocolError, UserError
from virtuallab.lab.planning.network_group import architecture_labels
from virtuallab.lab.planning.network_limits import entry_index, network_faults
from virtuallab.lab.planning.plan import Plan, lay_out
from virtuallab.lab.planning.subject_table import columns_of
from virtuallab.probes import Probe
from virtuallab.probes.validation import device_problems
from virtuallab.protocol import Protocol, design_points, read
from virtuallab.protocol.reading.read import faults_in as read_faults
from virtuallab.subject.subject import Subject
from virtuallab.subject.training.compatibility import (
    incompatibility,
    optimizer_incompatibility,
    precision_incompatibility,
)
from virtuallab.text import count_noun
from virtuallab.vocabulary import PAIR


def make_plan(protocol: Protocol) -> Plan:
    """Return the plan of a protocol that can be carried out.

    Parameters
    ----------
    protocol : Protocol

    Raises
    ------
    ProtocolError
        With every fault that shows only against the networks the protocol asks for: a probe with
        more units than a layer has, a rule for dense layers in a convolutional network, a loss that
        a rule does not support. If a network cannot be built, with the faults of networks alone.
    """
    plan = lay_out(protocol)
    # The rest needs networks that can be built.
    messages = network_faults(protocol, plan.subjects) or {
        **_rule_faults(plan),
        **_curriculum_faults(plan),
        **_start_faults(plan),
        **_probe_faults(plan, _places(protocol)),
        **_design_faults(protocol, plan),
        **_analysis_faults(protocol, plan, protocol.probes),
    }
    _raise(protocol, messages)
    return plan


def check_probes(other: Protocol, plan: Plan) -> None:
    """Refuse another protocol's probes that cannot be implanted in the subjects of a plan.

    Parameters
    ----------
    other : Protocol
    plan : Plan

    Raises
    ------
    ProtocolError
        If a probe asks for what these subjects, or the visits they are preserved at, do not have.
    """
    _raise(other, _probe_faults(plan, _places(other)))


def check_analyses(asked: Protocol, plan: Plan, probes: Mapping[str, Probe]) -> None:
    """Refuse a protocol's analyses that are not possible in the subjects of a plan.

    Parameters
    ----------
    asked : Protocol
    plan : Plan
    probes : mapping from name to Probe
        Those whose recordings can be decoded.

    Raises
    ------
    ProtocolError
    """
    _raise(asked, _analysis_faults(asked, plan, probes))


def check_designs(asked: Protocol, plan: Plan) -> None:
    """Refuse another protocol's designs that cannot be evaluated in the subjects of a plan.

    Parameters
    ----------
    asked : Protocol
    plan : Plan

    Raises
    ------
    ProtocolError
    """
    _raise(asked, _design_faults(asked, plan))


def faults_in(paths: Iterable[Path], overrides: Sequence[str] = ()) -> list[Fault]:
    """Return the faults of several protocols, also those that only the built networks show.

    Parameters
    ----------
    paths : iterable of Path
    overrides : sequence of str
    """
    return read_faults(paths, overrides, lambda path, texts: make_plan(read(path, texts)))


def _raise(protocol: Protocol, messages: Mapping[str, str]) -> None:
    if messages:
        raise ProtocolError(protocol.fault(*each) for each in messages.items())


def _rule_faults(plan: Plan) -> dict[str, str]:
    """Rules by which some networks cannot learn, or not with their loss or optimizers."""
    places = {entry.label: index for index, entry in enumerate(plan.protocol.subjects.rules)}
    makes = {(s.label, s.rule, s.architecture, s.task, s.loss): s for s in plan.subjects}
    faults = {
        f"subjects.rules[{places[subject.label]}]": message
        for subject in makes.values()
        if (
            message := incompatibility(
                subject.rule, subject.architecture, subject.task, subject.loss
            )
        )
    }
    for subject in plan.subjects:
        if message := optimizer_incompatibility(subject):
            place = f"subjects.rules[{places[subject.label]}].feedback_optimizer"
            faults.setdefault(place, message)
        if message := precision_incompatibility(subject):
            faults.setdefault(f"subjects.rules[{places[subject.label]}]", message)
    return faults


def _curriculum_faults(plan: Plan) -> dict[str, str]:
    """Curricula by which some task cannot be learned in its steps."""
    faults: dict[str, str] = {}
    specs = plan.protocol.subjects.curriculum
    cases = {(subject.curriculum, subject.task, subject.steps): None for subject in plan.subjects}
    for curriculum, task, steps in cases:
        if message := curriculum.incompatibility(task, steps):
            place = f"subjects.curriculum{entry_index(specs, curriculum)}"
            faults.setdefault(place, message)
    return faults


def _start_faults(plan: Plan) -> dict[str, str]:
    """Pretraining that the networks of the subjects do not allow."""
    faults: dict[str, str] = {}
    seen: set[tuple[Any, ...]] = set()
    for subject in plan.subjects:
        before = subject.pretrained
        case = subject.task, before and (before.rule, before.architecture, before.task, before.loss)
        if before is None or case in seen:
            continue
        seen.add(case)
        for place, message in _start_problems(subject, before):
            faults.setdefault(f"subjects.start_from{place}", message)
    return faults


def _start_problems(subject: Subject, before: Subject) -> Iterator[tuple[str, str]]:
    shapes = [" x ".join(map(str, s.task.stimulus_shape)) for s in (before, subject)]
    if shapes[0] != shapes[1]:
        yield (
            ".task",
            f"images of {before.task.name} are {shapes[0]}, those of {subject.task.name} "
            f"{shapes[1]}: one network cannot learn both. Choose a task with images of one shape.",
        )
        return
    try:
        before.task.train()
    except UserError as error:
        yield ".task", str(error)
        return
    message = incompatibility(before.rule, before.architecture, before.task, before.loss)
    message = message or optimizer_incompatibility(before) or precision_incompatibility(before)
    if message:
        yield ".rule", message
    elif not before.rule.forward_updates(before.steps):
        delay = getattr(before.rule, "delay", 0)  # an alternation can be the reason, too
        since = f", since its 'delay' is {delay:,}" if delay else ""
        yield (
            ".steps",
            f"{before.rule.name} changes no forward weight in {count_noun(before.steps, 'step')}"
            f"{since}. Give the pretraining more steps, or another rule.",
        )


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


def _design_faults(asked: Protocol, plan: Plan) -> dict[str, str]:
    """Designs that the subjects do not allow; none, if there are no designs."""
    places = _designs(asked)
    if not places:
        return {}
    probes = _probe_faults(plan, places)
    return {**probes, **_unmeasured(asked, len(plan.visits)), **_fold_faults(asked, plan.subjects)}


def _unmeasured(asked: Protocol, n_visits: int) -> dict[str, str]:
    """Designs that measure nothing of what is read of them."""
    return {**_uncompared(asked, n_visits), **_unsearched(asked, n_visits)}


def _unsearched(asked: Protocol, n_visits: int) -> dict[str, str]:
    read = None if asked.power is None else asked.power.observable
    probes = [probe for place, probe in _designs(asked) if place == "power.design"]
    if read in (None, "all") or any(list(device_problems(probe.device)) for probe in probes):
        return {}
    if any(read in probe.resolved.readable(n_visits) for probe in probes):
        return {}
    seen = ", ".join(probes[0].resolved.readable(n_visits))
    return {"power.observable": f"{read!r} cannot be read of this design. Choose among: {seen}."}


def _uncompared(asked: Protocol, n_visits: int) -> dict[str, str]:
    if asked.compare is None or asked.compare.observables is None:
        return {}
    read = asked.compare.observables
    faults: dict[str, str] = {}
    for name, design in asked.compare.designs.items():
        for point in design_points(design):
            if list(device_problems(point.probe.device)):
                continue
            probe = point.probe.resolved
            if "all" not in read and not set(read) & set(probe.readable(n_visits)):
                faults[f"compare.designs.{name}"] = (
                    f"measures {', '.join(probe.observables)}, of which compare.observables reads "
                    "nothing. Add one of these there, or measure what it reads."
                )
    return faults


def _fold_faults(asked: Protocol, subjects: Sequence[Subject]) -> dict[str, str]:
    """Subjects that are too few to be divided into as many folds."""
    rules = [subject.label for subject in subjects]
    columns = _columns(subjects)
    faults: dict[str, str] = {}
    for key in ("compare", "power"):
        section = getattr(asked, key)
        if section is not None:
            how = Analysis(folds=section.folds, inner_folds=section.inner_folds)
            found = how.check(rules, (), (), columns=columns, pairs=columns.get(PAIR))
            faults |= {_place(key, field): text for field, text in found}
    return faults


def _place(section: str, field: str) -> str:
    """Return the place of a fault that an analysis found, by the field that it names."""
    return "subjects.rules" if field == "rules" else f"{section}.{field}"


def _columns(subjects: Sequence[Subject]) -> dict[str, list[Any]]:
    """All that was decided about each subject, as analyses check it."""
    return {name: values.tolist() for name, values in columns_of(subjects).items()}


def _probe_faults(plan: Plan, probes: Iterable[tuple[str, Probe]]) -> dict[str, str]:
    """Return a message by place; where several networks are at fault, that of the first."""
    faults: dict[str, str] = {}
    probes = list(probes)
    for group, sizes in zip(plan.network_groups, plan.sizes, strict=True) if probes else ():
        for place, probe in probes:
            for field, message in probe.check(*sizes):
                at = f"{place}.{field}" if field else place
                faults.setdefault(at, f"in {group.name}: {message}")
    return faults


def _analysis_faults(asked: Protocol, plan: Plan, probes: Mapping[str, Probe]) -> dict[str, str]:
    subjects = plan.subjects
    rules = [subject.label for subject in subjects]
    architectures = architecture_labels(subjects)
    columns = _columns(subjects)
    # What a probe with an unknown device measures is not known; the device has a fault of its own.
    measured = {
        name: probe.resolved.readable(len(plan.visits))
        for name, probe in probes.items()
        if not list(device_problems(probe.device))
    }
    return {
        _place(f"analyses.{name}", field): message
        for name, analysis in asked.analyses.items()
        for field, message in (
            *analysis.check(
                rules,
                architectures,
                tuple(probes),
                columns=columns,
                measured=measured,
                pairs=columns.get(PAIR),
            ),
            *(analysis.check_primary(measured) if len(measured) == len(probes) else ()),
        )
    }
