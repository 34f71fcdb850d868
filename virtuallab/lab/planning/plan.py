"""A protocol laid out as work: made once, handed to every stage, and printed by ``plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from virtuallab.lab.planning.network_group import NetworkGroup, network_groups, union_of_layers
from virtuallab.lab.planning.subject_table import describe_subjects
from virtuallab.protocol import Protocol, expand
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import VISIT, describe

THREADS = 1  # of one cohort: two cohorts at once beat one cohort on two cores

# What there is of one group for a probe: units and synapses of each layer, visits, stimuli.
Sizes = tuple[Mapping[str, int], Mapping[str, int], int, int]


@dataclass(frozen=True)
class Costs:
    """Costs of a plan, and warnings about its protocol.

    Parameters
    ----------
    cohorts : tuple of tuple of int
        Subjects that train together, as indices.
    workers : int
        Cohorts at once.
    training, recording, decoding : float
        Estimated time of these stages in seconds, with so many workers: of training from a few
        trial steps; of the others roughly, within a factor of two.
    sizes : mapping from node to int
        Bytes of each part of the store, before compression.
    precision : str
        How well so many subjects determine an accuracy.
    warnings : tuple of str
        Settings that only one rule has; subjects that seem to diverge or to learn nothing; devices
        that find few units; settings of probes without effect; a store that does not fit on disk.
    """

    cohorts: tuple[tuple[int, ...], ...]
    workers: int
    training: float
    recording: float
    decoding: float
    sizes: Mapping[str, int]
    precision: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A protocol laid out as work.

    The partition into cohorts and the threads of a cohort decide how sums are rounded. A store
    keeps them, so that a run that is continued, with more workers or on another day, ends with the
    same bytes.

    Parameters
    ----------
    protocol : Protocol
    subjects : tuple of Subject
    network_groups : tuple of NetworkGroup
        Groups of subjects that share an architecture and a task.
    costs : Costs, optional
        If they were measured.
    """

    protocol: Protocol
    subjects: tuple[Subject, ...]
    network_groups: tuple[NetworkGroup, ...]
    costs: Costs | None = None

    @property
    def visits(self) -> tuple[int, ...]:
        """Training steps at which every subject is preserved."""
        return self.protocol.subjects.visit_steps

    @cached_property
    def visit_coordinates(self) -> xr.Dataset:
        """Coordinates of the visits: ``visit``, ``step`` and ``epoch``.

        There is no ``epoch`` where subjects differ in batch size or in training images: a step is
        then not the same part of an epoch for all of them.
        """
        steps = np.array(self.visits, dtype=np.int64)
        coords: dict[str, tuple[str, np.ndarray, dict[str, str]]] = {
            VISIT: (VISIT, np.arange(len(steps)), describe(VISIT)),
            "step": (VISIT, steps, describe("step")),
        }
        kinds = {(subject.batch_size, subject.task): subject for subject in self.subjects}.values()
        passes = {(each.batch_size, len(each.task.train().labels)) for each in kinds}
        if len(passes) == 1:
            [(batch, images)] = passes
            coords["epoch"] = (VISIT, steps * batch / images, describe("epoch"))
        return xr.Dataset(coords=coords)

    @cached_property
    def layers(self) -> list[str]:
        """Layers of all networks, from input to output, by mean depth."""
        return union_of_layers({each.name: each.layout().layers for each in self.network_groups})

    @cached_property
    def sizes(self) -> tuple[Sizes, ...]:
        """Units and synapses of each layer, visits and stimuli, of each group."""
        count = len(self.visits)
        return tuple((*each.layer_sizes, count, each.n_stimuli) for each in self.network_groups)

    def stored(self) -> dict[str, Any]:
        """Return the part that decides the bytes of the result, as plain data.

        Raises
        ------
        ValueError
            If the costs were not measured: the cohorts are part of them.
        """
        if self.costs is None:
            raise ValueError("the cohorts of this plan were not measured")
        return {
            "visits": list(self.visits),
            "cohorts": [list(cohort) for cohort in self.costs.cohorts],
            "threads": THREADS,
        }

    def to_dataset(self) -> xr.Dataset:
        """Return the table of subjects, dims (subject): rule, architecture, task, settings."""
        return describe_subjects(self.subjects)

    def to_frame(self) -> pd.DataFrame:
        """Return the table of subjects, one row a subject."""
        return self.to_dataset().to_dataframe().reset_index()


def lay_out(protocol: Protocol) -> Plan:
    """Return the plan of a protocol, whether it can be carried out or not.

    Parameters
    ----------
    protocol : Protocol
    """
    subjects = expand(protocol)
    return Plan(protocol, subjects, network_groups(subjects))
