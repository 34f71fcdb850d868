"""Preserved subjects as a worker reads them: from the store, or as they were sent to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages.reference import Reference, reference
from virtuallab.lab.stages.snapshots import preserved_states
from virtuallab.store import Store


class SubjectSource(ABC):
    """Preserved subjects of one group."""

    @abstractmethod
    def reference(self) -> Reference:
        """Return the reference networks of the group."""

    @abstractmethod
    def states(self, index: int) -> Iterator[np.ndarray]:
        """Yield the states of a subject, (visit, parameter), some visits at a time."""


@dataclass(frozen=True)
class StoredSubjects(SubjectSource):
    """Subjects that a worker of this machine reads from the store.

    Parameters
    ----------
    path : Path
        Of the store.
    group : NetworkGroup
    seed : int
        The protocol's seed.
    """

    path: Path
    group: NetworkGroup
    seed: int

    @cached_property
    def _store(self) -> Store:
        # Opened once: its root lists all subjects, and takes longer to read than the states of one.
        return Store.open(self.path)

    def reference(self) -> Reference:
        """Return the reference networks of the group."""
        return reference(self._store, self.group, self.seed)

    def states(self, index: int) -> Iterator[np.ndarray]:
        """Yield the states of a subject, (visit, parameter), some visits at a time."""
        yield from preserved_states(self._store, self.group, index)


@dataclass(frozen=True)
class SentSubjects(SubjectSource):
    """Subjects that are sent to a worker, which may not see the store.

    Parameters
    ----------
    networks : Reference
    sent : mapping from index to tuple of array, (visit, parameter)
    """

    networks: Reference
    sent: Mapping[int, tuple[np.ndarray, ...]]

    def reference(self) -> Reference:
        """Return the reference networks of the group."""
        return self.networks

    def states(self, index: int) -> Iterator[np.ndarray]:
        """Yield the states of a subject, (visit, parameter), some visits at a time."""
        yield from self.sent[index]


def subject_source(
    pool: WorkerPool, store: Store, group: NetworkGroup, seed: int, indices: Iterable[int]
) -> SubjectSource:
    """Return the source from which the workers of a pool read some subjects.

    Parameters
    ----------
    pool : WorkerPool
    store : Store
    group : NetworkGroup
    seed : int
        The protocol's seed.
    indices : iterable of int
        Subjects of the group.
    """
    if pool.reads_store:
        return StoredSubjects(store.path, group, seed)
    sent = {index: tuple(preserved_states(store, group, index)) for index in indices}
    return SentSubjects(reference(store, group, seed), sent)
