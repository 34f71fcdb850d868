"""Warn of settings that one rule alone has: a decoder could name the rule by them.

Compared is what rules have in common: the kind of optimizer, its settings, those of an optimizer
for the backward weights, and settings of a family of rules. What only one rule defines (its own
strengths, Adam's ``beta2`` beside gradient descent) belongs to it and is left alone. So is what
tells two entries of one rule apart, if nothing else does: that is what the protocol asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from virtuallab.protocol import PluginSpec, Protocol
from virtuallab.protocol.sections.rule_entry import RuleEntry
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.subject.subject import Subject

_RATE = "learning_rate"  # means another thing in another kind of optimizer
_COUNTED = "equal"  # what it does, the number of updates, is compared in its stead
_FORWARD = "that of the forward weights"
_NOT_NAMED = 3  # of more rules that share a value only the number is told


@dataclass(frozen=True)
class _Holder:
    """One entry of the rules and its value of one setting.

    Parameters
    ----------
    label : str
    rule : str
        Which rule with which settings (and, of a setting of an optimizer, which kind of it): where
        two entries have the same, what differs between them is what the protocol asks.
    value : str
    """

    label: str
    rule: str
    value: str


def confound_warnings(protocol: Protocol, subjects: Sequence[Subject] = ()) -> tuple[str, ...]:
    """One sentence for each setting of which some rule has a value, or a range, of its own.

    Parameters
    ----------
    protocol : Protocol
    subjects : sequence of Subject
        Those of the protocol; where they are given, also a sentence about rules that change their
        forward weights less often than others, and about one that alone lets them decay.
    """
    rules = protocol.subjects.rules
    if len(rules) < 2:
        return ()
    default = protocol.subjects.optimizer
    optimizers = {entry.label: entry.optimizer or default for entry in rules}
    given = {label: spec for label, spec in optimizers.items() if spec is not None}
    own = {r.label: r.feedback_optimizer for r in rules if r.feedback_optimizer is not None}
    backward = [
        _Holder(r.label, _identity(r), own[r.label].plugin.name if r.label in own else _FORWARD)
        for r in rules
        if _may_have_its_own(r)
    ]
    return (
        *_of_kinds("optimizer", rules, given),
        *_of_settings("optimizer", rules, given),
        *_alone("feedback_optimizer", backward),
        *_of_settings("feedback_optimizer", rules, own),
        *_of_families(rules),
        *_of_start(protocol),
        *_of_updates(subjects),
        *_of_decay(subjects),
    )


def _may_have_its_own(entry: RuleEntry) -> bool:
    """Whether its backward weights learn, and by other steps than the forward ones."""
    made = entry.rule.points()[0].example()
    return bool(made.learns_feedback) and not made.shares_decay


def _of_kinds(key: str, rules: Sequence[RuleEntry], specs: dict[str, PluginSpec]) -> Iterator[str]:
    """Compare kinds of optimizers."""
    held = [
        _Holder(entry.label, _identity(entry), specs[entry.label].plugin.name)
        for entry in rules
        if entry.label in specs
    ]
    yield from _alone(key, held)


def _of_settings(
    key: str, rules: Sequence[RuleEntry], specs: dict[str, PluginSpec]
) -> Iterator[str]:
    """Compare settings that several kinds of optimizers have."""
    entries = [(entry, specs[entry.label]) for entry in rules if entry.label in specs]
    settings = dict.fromkeys(name for _, each in entries for name in each.settings)
    for setting in settings:
        if setting != _RATE:
            holders = [
                _Holder(entry.label, _identity(entry, each), _text(each.settings[setting]))
                for entry, each in entries
                if setting in each.settings
            ]
            yield from _alone(f"{key}.{setting}", holders)
    if entries:
        yield from _of_rates(f"{key}.{_RATE}", entries)


def _of_rates(key: str, entries: Sequence[tuple[RuleEntry, PluginSpec]]) -> Iterator[str]:
    """Compare learning rates of one kind of optimizer by value, of several kinds by their width."""
    by_kind: dict[str, list[_Holder]] = {}
    widths: list[_Holder] = []
    for entry, each in entries:
        value, rule = each.settings[_RATE], _identity(entry, each)
        holder = _Holder(entry.label, rule, _text(value))
        by_kind.setdefault(each.plugin.name, []).append(holder)
        widths.append(_Holder(entry.label, rule, _width(value)))
    said = []
    for holders in by_kind.values():
        said += list(_alone(key, holders))
    yield from said
    if not said:
        yield from _alone(key, widths)


def _of_families(rules: Sequence[RuleEntry]) -> Iterator[str]:
    """Compare settings that several rules have from one family, and none has redefined."""
    places: dict[tuple[str, str], list[tuple[RuleEntry, Any]]] = {}
    for entry in rules:
        for setting, value in entry.rule.settings.items():
            if setting == _COUNTED:
                continue
            place = (_definer(entry.rule.plugin, setting), setting)
            places.setdefault(place, []).append((entry, value))
    for (_, setting), entries in places.items():
        if len({entry.rule.plugin for entry, _ in entries}) > 1:
            # Two entries of one rule, with two settings, are two answers on purpose.
            holders = [_Holder(r.label, r.rule.plugin.name, _text(value)) for r, value in entries]
            yield from _alone(setting, holders)


def _of_start(protocol: Protocol) -> Iterator[str]:
    """Pretraining by a subject's own rule or optimizer, where these differ between rules."""
    start, rules = protocol.subjects.start_from, protocol.subjects.rules
    if start is None:
        return
    own = {
        "a rule": start.rule is None and {_text(entry.rule) for entry in rules},
        "an optimizer": start.optimizer is None and {_text(entry.optimizer) for entry in rules},
    }
    missing = " and ".join(key for key, values in own.items() if values and len(values) > 1)
    if missing:
        yield (
            f"start_from: without {missing}, subjects learn by their own before visit 0, so that "
            "visit 0 already tells the rule: the control 'visit 0 alone' may fail. Give "
            f"start_from {missing}, the same for all subjects."
        )


def _definer(plugin: type[Any], setting: str) -> str:
    """Name of the last class to define a setting."""
    definers = (each for each in plugin.__mro__ if setting in vars(each).get("__annotations__", {}))
    return next(definers).__qualname__


def _alone(setting: str, holders: Sequence[_Holder]) -> Iterator[str]:
    """Yield one sentence if some rule has a value that no other rule has.

    A setting in which two entries of one rule differ is left out: the protocol asks for it.
    """
    groups: dict[str, list[_Holder]] = {}
    for holder in holders:
        groups.setdefault(holder.value, []).append(holder)
    if len(groups) < 2:
        return
    lone = [group[0] for group in groups.values() if len(group) == 1]
    told = [one for one in lone if not _asked(one, holders)]
    if not told:
        return
    parts = [f"{one.value} in {one.label} alone" for one in told]
    names = {one.label for one in told}
    rest = [
        f"{value} in {_names([each.label for each in group])}"
        for value, group in groups.items()
        if not {each.label for each in group} <= names
    ]
    found = "this rule" if len(told) == 1 else "these rules"
    yield (
        f"{setting}: {', '.join(parts + rest)}. A decoder may identify {found} from this "
        "setting, and not from how the rule learns. Give all rules the same value, or the same "
        "range to draw from."
    )


def _asked(one: _Holder, holders: Sequence[_Holder]) -> bool:
    """Whether another entry of the same rule has another value: then the setting is asked."""
    return any(each.rule == one.rule and each.value != one.value for each in holders)


def _of_updates(subjects: Sequence[Subject]) -> Iterator[str]:
    """Rules that change their forward weights less often than the others."""
    counts: dict[str, int] = {}
    delayed: set[str] = set()
    for subject in subjects:
        made = subject.rule.forward_updates(subject.steps)
        counts[subject.label] = min(made, counts.get(subject.label, made))
        if getattr(subject.rule, "delay", 0):
            delayed.add(subject.label)
    most = max(counts.values(), default=0)
    for label, count in counts.items():
        if count < most:
            remedy = (
                "'delay: 0' to let the forward weights learn from the beginning"
                if label in delayed
                else "'equal: updates' to let the backward weights learn beside them"
            )
            yield (
                f"{label}: its forward weights change {count:,} times in training, those of other "
                f"rules {most:,} times; a decoder may identify it from that. Write {remedy}, or "
                "keep it if equal steps are meant."
            )


def _of_decay(subjects: Sequence[Subject]) -> Iterator[str]:
    """A rule whose forward weights decay by a strength of its own, where no other's do so."""
    decays: dict[str, float] = {}
    for subject in subjects:
        own = float(subject.rule.forward_decay)
        decays[subject.label] = min(own, decays.get(subject.label, own))
    forgetting = {label: decay for label, decay in decays.items() if decay > 0}
    if len(forgetting) == 1:
        [(label, decay)] = forgetting.items()
        yield (
            f"{label}: its 'decay' lets the forward weights decay by {decay:.2g}, and no other "
            "rule does; a decoder may identify it from that. Write 'decay: 0' there, and the same "
            "'weight_decay' in the optimizer of all rules."
        )


def _identity(entry: RuleEntry, optimizer: PluginSpec | None = None) -> str:
    """Which rule an entry has, with its settings; and by which kind of optimizer, if given."""
    kind = optimizer and optimizer.plugin.name
    return json.dumps([entry.rule.written(), kind], sort_keys=True)


def _text(value: Any) -> str:
    """Write a setting as a protocol does."""
    return json.dumps(plain(value)).replace('"', "")


def _width(value: Any) -> str:
    """Form of a setting and how far it reaches, whatever its size: [0.003, 0.1] is 33-fold."""
    written = plain(value)
    if not isinstance(written, dict):
        return "one value"
    [(form, numbers)] = written.items()
    low, high = min(numbers), max(numbers)
    return f"{form} over a factor of {high / low:.3g}" if low > 0 else f"{form} from {low:g}"


def _names(labels: Sequence[str]) -> str:
    if len(labels) > _NOT_NAMED:
        return f"{len(labels)} others"
    return " and ".join(labels)
