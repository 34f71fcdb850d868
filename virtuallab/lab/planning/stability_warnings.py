"""Warn of learning rates at which backward weights will diverge, before anything is trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from virtuallab.errors import VirtuallabWarning
from virtuallab.lab.services.workers import torch_threads
from virtuallab.subject.learning.alignment import Alignment
from virtuallab.subject.subject import Subject, kind
from virtuallab.theory import coefficients_of
from virtuallab.theory.initial_limits import (
    Curvature,
    initial_curvatures,
    step_limit_of,
)

# How far training may raise the second moments of a layer's activity. At learning rates that a
# small network just survived they grew four to seven times within fifty steps; at higher ones the
# falling limit met the learning rate and the network diverged: studies/step_limit.py.
GROWTH = 10.0


@dataclass(frozen=True)
class _Case:
    """One layer of one subject against its limit."""

    subject: Subject
    layer: str
    limit: float  # at initialization
    later: float  # once activity has grown

    @property
    def learning_rate(self) -> float:
        return float(self.subject.backward_optimizer.learning_rate)

    @property
    def excess(self) -> float:
        return self.learning_rate / self.later


def stability_warnings(subjects: Sequence[Subject]) -> tuple[str, ...]:
    """One sentence for each rule whose learning rates exceed the step limit, or may come to.

    Limits are measured at initialization, on one batch of one subject of each kind. Other ways to
    diverge are not tested: of the forward weights, or of both weights that amplify one another.

    Parameters
    ----------
    subjects : sequence of Subject
    """
    makes: dict[tuple[object, ...], list[Subject]] = {}
    for subject in subjects:
        if isinstance(subject.rule, Alignment):
            makes.setdefault(kind(subject), []).append(subject)
    worst: dict[str, _Case] = {}
    unknown: dict[str, str] = {}
    for members in makes.values():
        if step_limit_of(members[0], Curvature()) is None:
            unknown.update((s.label, s.backward_optimizer.name) for s in members)
            continue
        for case in _cases(members):
            known = worst.get(case.subject.label)
            if known is None or case.excess > known.excess:
                worst[case.subject.label] = case
    return (
        *(_sentence(case) for case in worst.values() if case.excess > 1),
        *(
            f"{label}: not checked, for the step limit is one of gradient descent and "
            f"{optimizer} scales its steps by those before."
            for label, optimizer in unknown.items()
        ),
    )


def _cases(members: Sequence[Subject]) -> Iterator[_Case]:
    """Compare every subject of one make in every layer."""
    strengths = [coefficients_of(member.rule) for member in members]
    needed = [name for name in ("null", "sparse") if any(getattr(k, name) for k in strengths)]
    layers = {"every layer": Curvature()}
    if needed:
        with torch_threads(1), warnings.catch_warnings():
            # A limit is compared with learning rates over decades, so an estimate is enough.
            warnings.simplefilter("ignore", VirtuallabWarning)
            found = initial_curvatures(members[0], needed)
        layers = {f"layer {name!r}": curvature for name, curvature in found.items()}
    for member in members:
        for layer, curvature in layers.items():
            limit, later = (step_limit_of(member, c) for c in (curvature, curvature.grown(GROWTH)))
            assert limit is not None
            assert later is not None
            yield _Case(member, layer, limit, later)


def _sentence(case: _Case) -> str:
    place = (
        f"the learning rate goes up to {case.learning_rate:.2g} and the step limit of {case.layer} "
        f"at initialization is {case.limit:.2g}"
    )
    if case.learning_rate > case.limit:
        outcome = "there the backward weights diverge"
    else:
        outcome = (
            f"growing activity may lower it {GROWTH:g} times, and then the backward weights diverge"
        )
    remedy = "Lower the learning rate or the rule's strengths"
    if getattr(case.subject.rule, "positions", "") == "sum":
        remedy += ", or take the mean over positions"
    return f"{case.subject.label}: {place}; {outcome}. {remedy}."
