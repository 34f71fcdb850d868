"""What is searched: each kind of subject some of whose settings a protocol leaves open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from virtuallab import seeds
from virtuallab.protocol.expansion import expand
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.sections.rule_entry import Regime
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.sections.training_length import visit_steps
from virtuallab.protocol.settings.distributions import Distribution, Grid
from virtuallab.protocol.settings.plugin_spec import Draft, crossed

if TYPE_CHECKING:
    from virtuallab.subject.subject import Subject


@dataclass(frozen=True)
class Study:
    """One kind of subject, whose open settings are searched.

    Parameters
    ----------
    protocol : Protocol
        The protocol, narrowed to one architecture, task, batch size, loss and point of one rule.
    rule : int
        Which entry of the rules it belongs to.
    architecture, task : str
        Their names, numbered where several of one name are listed.
    point : mapping
        Settings that the whole protocol has as a grid -> their value here.
    """

    protocol: Protocol
    rule: int
    architecture: str
    task: str
    point: Mapping[str, Any]

    @property
    def regime(self) -> Regime:
        """Its rule, with optimizers."""
        [regime] = self.protocol.subjects.rules
        return regime

    @property
    def label(self) -> str:
        """The rule's label, with the values that grids have here."""
        point = ", ".join(f"{path} {value}" for path, value in self.point.items())
        return f"{self.regime.label} ({point})" if point else self.regime.label

    @property
    def space(self) -> dict[str, Distribution]:
        """Open settings, as ``amp`` or ``optimizer.learning_rate`` -> what they are drawn from."""
        return {
            path: value for path, value in _settings(self.regime) if isinstance(value, Distribution)
        }

    def name(self, search: Search) -> str:
        """Name the study, with a digest of all that decides what a trial is worth.

        So a search goes on only where its trials would still be worth the same. How many trials
        there are, and how many at once, is not part of it.
        """
        subjects = self.protocol.subjects
        visits = visit_steps(self.protocol)[-2 if search.objective == "train_loss" else -1 :]
        apart = ("replicates", "visits", "cohort")
        decisive = {
            "seed": self.protocol.seed,
            "subjects": {k: v for k, v in subjects.written().items() if k not in apart},
            "visits": visits,
            "objective": search.objective,
            "seeds": search.seeds,
        }
        text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        [architecture], [task] = subjects.architectures, subjects.tasks
        return ".".join([self.regime.label, architecture.plugin.name, task.plugin.name, digest])

    def trial(self, values: Mapping[str, Any], count: int) -> tuple[Subject, ...]:
        """Make the subjects of one trial.

        Their random streams are not those of the protocol's own subjects: else a run of the tuned
        protocol would repeat the very subjects whose luck was chosen.

        Parameters
        ----------
        values : mapping
            A value for each setting of the space.
        count : int
            How many subjects, alike but for their random streams.
        """
        closed = _narrowed(self.protocol, rules=(_closed(self.regime, values),), replicates=count)
        streams = seeds.integer(self.protocol.seed, seeds.SEARCH)
        return expand(closed.model_copy(update={"seed": streams}))


def studies(protocol: Protocol) -> tuple[Study, ...]:
    """List what can be searched, in the order in which the protocol lists it."""
    subjects = protocol.subjects
    architectures = _numbered(subjects.architectures)
    tasks = _numbered(subjects.tasks)
    return tuple(
        study
        for index, written in enumerate(subjects.rules)
        for regime in [replace(written, optimizer=written.optimizer or subjects.optimizer)]
        for architecture_name, architecture in architectures
        for task_name, task in tasks
        for shared in crossed({"batch_size": subjects.batch_size, "loss": subjects.loss})
        for point in regime.points(None)
        for study in [
            Study(
                _narrowed(
                    protocol,
                    architectures=(architecture,),
                    tasks=(task,),
                    rules=(point,),
                    optimizer=None,
                    **shared,
                ),
                index,
                architecture_name,
                task_name,
                {
                    **{k: v for k, v in shared.items() if isinstance(getattr(subjects, k), Grid)},
                    **dict(_values_of_grids(regime, point)),
                },
            )
        ]
        if study.space
    )


def _narrowed(protocol: Protocol, **subjects: Any) -> Protocol:
    return protocol.model_copy(update={"subjects": protocol.subjects.model_copy(update=subjects)})


def _drafts(regime: Regime) -> Iterator[tuple[str, str, Draft]]:
    """Yield the field of every plug-in of a regime, what its settings' paths begin with, and it."""
    for field in fields(regime):
        draft = getattr(regime, field.name)
        if isinstance(draft, Draft):
            yield field.name, "" if field.name == "rule" else f"{field.name}.", draft


def _settings(regime: Regime) -> Iterator[tuple[str, Any]]:
    for _, prefix, draft in _drafts(regime):
        for name, value in draft.settings.items():
            yield f"{prefix}{name}", value


def _values_of_grids(regime: Regime, point: Regime) -> Iterator[tuple[str, Any]]:
    here = dict(_settings(point))
    for path, value in _settings(regime):
        if isinstance(value, Grid):
            yield path, here[path]


def _closed(regime: Regime, values: Mapping[str, Any]) -> Regime:
    """Put values in the place of what is open."""
    drafts: dict[str, Any] = {
        field: Draft(
            draft.plugin,
            {name: values.get(f"{prefix}{name}", v) for name, v in draft.settings.items()},
        )
        for field, prefix, draft in _drafts(regime)
    }
    return replace(regime, replicates=None, **drafts)


def _numbered(drafts: Iterable[Draft]) -> list[tuple[str, Draft]]:
    """Pair every point of some plug-ins with a name, numbered as the subjects of a run are."""
    points = [point for draft in drafts for point in draft.points()]
    texts = [json.dumps(point.written(), sort_keys=True) for point in points]
    named: list[tuple[str, Draft]] = []
    for point, text in zip(points, texts, strict=True):
        alike = sorted(t for p, t in zip(points, texts, strict=True) if p.plugin is point.plugin)
        number = f"-{alike.index(text) + 1}" if len(alike) > 1 else ""
        named.append((f"{point.plugin.name}{number}", point))
    return named
