"""Studies of a search: one for each kind of subject with open settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

from virtuallab import seeds
from virtuallab.protocol.expansion import expand
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.sections.rule_entry import RuleEntry
from virtuallab.protocol.sections.search import Search
from virtuallab.protocol.settings.distributions import Distribution
from virtuallab.protocol.settings.plugin_spec import PluginSpec, plain

if TYPE_CHECKING:
    from virtuallab.subject.subject import Subject

Spec = TypeVar("Spec", bound=PluginSpec)


@dataclass(frozen=True)
class SearchStudy:
    """A study of a search: one kind of subject and its open settings.

    Parameters
    ----------
    protocol : Protocol
        The protocol, narrowed to one architecture, task, batch size, loss, curriculum, schedule and
        point of one rule.
    rule : int
        Index of the entry of the rules.
    architecture, task : str
        Their names, numbered if several of one name are listed.
    point : mapping from str to object
        Values of the settings that are grids in the whole protocol, by path.
    """

    protocol: Protocol
    rule: int
    architecture: str
    task: str
    point: Mapping[str, Any]

    @property
    def entry(self) -> RuleEntry:
        """The rule, with optimizers."""
        [entry] = self.protocol.subjects.rules
        return entry

    @property
    def label(self) -> str:
        """The rule's label, with the values of ``point``."""
        point = ", ".join(f"{path} {value}" for path, value in self.point.items())
        return f"{self.entry.label} ({point})" if point else self.entry.label

    @property
    def space(self) -> dict[str, Distribution]:
        """Distributions of the open settings, by path: ``amp``, ``optimizer.learning_rate``."""
        return self.entry.settings.space

    def name(self, search: Search) -> str:
        """Return the name of the study, with a digest of all that decides the value of a trial.

        So a search is resumed only if its earlier trials would have the same values. The number of
        trials, and of trials at once, is not part of the digest.
        """
        subjects = self.protocol.subjects
        indifferent = ("replicates", "seeds", "visits", "cohort")
        decisive = {
            "seed": self.protocol.seed,
            "subjects": {k: v for k, v in plain(subjects).items() if k not in indifferent},
            "visits": subjects.visit_steps[-2 if search.objective == "train_loss" else -1 :],
            "objective": search.objective,
            "seeds": search.seeds,
        }
        text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        [architecture], [task] = subjects.architectures, subjects.tasks
        return ".".join([self.entry.label, architecture.plugin.name, task.plugin.name, digest])

    def trial(self, values: Mapping[str, Any], count: int) -> tuple[Subject, ...]:
        """Return the subjects of one trial.

        Their random streams differ from those of the protocol's own subjects; otherwise a run of
        the tuned protocol would repeat the subjects by which its settings were chosen.

        Parameters
        ----------
        values : mapping from str to object
            A value for each setting of the space.
        count : int
            Number of subjects, which differ in their random streams only.
        """
        entry = replace(self.entry.replaced(values), replicates=None)
        closed = _narrowed(self.protocol, rules=(entry,), replicates=count, seeds=None)
        streams = seeds.integer(self.protocol.seed, seeds.SEARCH)
        return expand(closed.model_copy(update={"seed": streams}))


def search_studies(protocol: Protocol) -> tuple[SearchStudy, ...]:
    """Return the studies of a protocol's search; none if it leaves no setting open.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    tuple of SearchStudy
        In the order of rules, architectures, tasks and points of grids.
    """
    return tuple(study for study in _kinds(protocol) if study.space)


def _kinds(protocol: Protocol) -> Iterator[SearchStudy]:
    subjects = protocol.subjects
    start = subjects.start_from
    for (rule, entry), architecture, task, shared, curriculum, schedule, start_at in product(
        enumerate(subjects.rule_entries),
        _numbered(subjects.architectures),
        _numbered(subjects.tasks),
        subjects.shared.combinations(),
        _numbered(subjects.curriculum),
        _numbered(subjects.schedule),
        [{}] if start is None else start.settings.combinations(),
    ):
        if not task[1].belongs_to(architecture[1]):
            continue
        several = {
            key: name
            for key, name in (("curriculum", curriculum[0]), ("schedule", schedule[0]))
            if len(_numbered(getattr(subjects, key))) > 1
        } | {f"start_from.{path}": value for path, value in start_at.items()}
        for values in entry.settings.combinations():
            narrowed = _narrowed(
                protocol,
                architectures=(architecture[1],),
                tasks=(replace(task[1], architectures=()),),
                rules=(entry.replaced(values),),
                optimizer=None,
                curriculum=(curriculum[1],),
                schedule=(schedule[1],),
                start_from=start and start.replaced(start_at),
                **shared,
            )
            point = {**shared, **several, **values}
            yield SearchStudy(narrowed, rule, architecture[0], task[0], point)


def _narrowed(protocol: Protocol, **subjects: Any) -> Protocol:
    return protocol.model_copy(update={"subjects": protocol.subjects.model_copy(update=subjects)})


def _numbered(specs: Iterable[Spec]) -> list[tuple[str, Spec]]:
    """Return every point of some plug-ins with a name, numbered like the subjects of a run."""
    points: list[Spec] = [point for spec in specs for point in spec.points()]
    texts = [json.dumps(plain(point), sort_keys=True) for point in points]
    named: list[tuple[str, Spec]] = []
    for point, text in zip(points, texts, strict=True):
        alike = sorted(t for p, t in zip(points, texts, strict=True) if p.plugin is point.plugin)
        number = f"-{alike.index(text) + 1}" if len(alike) > 1 else ""
        named.append((f"{point.plugin.name}{number}", point))
    return named
