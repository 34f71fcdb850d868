"""How many of its subjects a probe has recorded, and which probes an analysis may rest on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from virtuallab.decoder import Analysis
from virtuallab.errors import UserError, suggest
from virtuallab.lab.stages.nodes import is_preserved, living, probes_in, run_command, stage
from virtuallab.lab.stages.record import command
from virtuallab.store import Store
from virtuallab.vocabulary import SUBJECT


@dataclass(frozen=True)
class Coverage:
    """How far a probe has come.

    Parameters
    ----------
    probe : str
    recorded : int
        Subjects that it has recorded.
    wanted : int
        Subjects that it records in the end, as far as is known: all but those that diverged.
    untrained : int
        Those among them that are not trained yet.
    """

    probe: str
    recorded: int
    wanted: int
    untrained: int

    @property
    def is_complete(self) -> bool:
        """True if no subject is missing."""
        return self.recorded >= self.wanted

    def __str__(self) -> str:
        """Sentence without its full stop."""
        return f"probe {self.probe!r} has recorded {self.recorded} of {self.wanted} subjects"

    def how_to_finish(self, store: Store) -> str:
        """Command that records the others; and what has to come before it."""
        if self.untrained:
            run = run_command(store)
            return f"{self.untrained} of them are not trained yet; finish it with `{run}`"
        if not is_preserved(store):
            return f"finish it with `{run_command(store)}`, for the subjects are not preserved"
        return f"finish it with `{command(store)}`"


def coverage(store: Store, probe: str) -> Coverage:
    """Count the subjects that a probe has recorded."""
    total, alive = store.subjects.sizes[SUBJECT], living(store)
    trained = len(store.committed_subjects("subjects"))
    recorded = len(alive & store.committed_subjects(stage(probe)))
    return Coverage(probe, recorded, total - (trained - len(alive)), total - trained)


@dataclass(frozen=True)
class DecodableProbes:
    """Probes that the analyses rest on.

    Parameters
    ----------
    probes : sequence of str
    partial : sequence of Coverage
        Those among them that have not recorded all, taken because it was asked for.
    left_out : sequence of Coverage
        Probes in the store that are not among them, because they have not recorded all.
    """

    probes: Sequence[str]
    partial: Sequence[Coverage]
    left_out: Sequence[Coverage]


def decodable_probes(
    store: Store, analyses: Mapping[str, Analysis], own: Collection[str], *, partial: bool
) -> DecodableProbes:
    """Return the probes that analyses rest on.

    Probes of the protocol, and those an analysis names, must have recorded every subject. Others in
    the store are read if they have, and left out if not.

    Parameters
    ----------
    store : Store
    analyses : mapping from name to Analysis
    own : collection of str
        Probes of the protocol.
    partial : bool
        Read what there is of probes that have not recorded all.

    Raises
    ------
    UserError
        If a probe that is needed has not recorded all, or is not in the store.
    """
    there = probes_in(store)
    needed: dict[str, str] = {}  # probe -> the analysis that needs it
    for name, analysis in analyses.items():
        for probe in own if analysis.probes is None else analysis.probes:
            needed.setdefault(probe, name)
    probes, taken, left_out = [], [], []
    for probe in sorted({*there, *needed}):
        found = coverage(store, probe)
        if probe in needed and probe not in there and not partial:
            if probe in own:
                raise UserError(
                    f"{found}, and analysis {needed[probe]!r} reads it: "
                    f"{found.how_to_finish(store)}."
                )
            known = f" {suggest(probe, there)}" if there else ""
            raise UserError(
                f"analysis {needed[probe]!r} reads probe {probe!r}, which has recorded nothing in "
                f"{store.path}.{known} Implant it first: "
                f"`{command(store, '--protocol', 'PROTOCOL')}`."
            )
        if found.is_complete and probe in there:
            probes.append(probe)
        elif partial and found.recorded:
            probes.append(probe)
            taken.append(found)
        elif probe in needed and not partial:
            raise UserError(
                f"{found}: {found.how_to_finish(store)}, or decode what there is with --partial."
            )
        else:
            left_out.append(found)
    return DecodableProbes(probes, taken, left_out)
