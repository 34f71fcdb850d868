"""Recordings that lie in an experiment of this package: which subjects, and whether damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from virtuallab.lab.stages.experiment import resume
from virtuallab.lab.stages.nodes import stage
from virtuallab.store import Store
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.layout.location import records_folder
from virtuallab.vocabulary import SUBJECT


def is_experiment(path: Path) -> bool:
    """Return whether a path is that of an experiment, which has its records beside it."""
    return path.suffix == ".zarr" and records_folder(path).is_dir()


def experiment_of(recording: Path) -> Path | None:
    """Return the experiment in which a recording lies; None if it lies in none."""
    roots = [path for path in recording.absolute().parents if path.suffix == ".zarr"]
    return roots[0] if roots and is_experiment(roots[0]) else None


def check_own(recording: Path, subject: str | None) -> None:
    """Compare a recording that lies in an experiment with its checksums.

    Parameters
    ----------
    recording : Path
    subject : str or None
        All subjects if None.

    Raises
    ------
    MachineError
        If it is damaged.
    """
    if (found := _place(recording)) is None:
        return
    store, node = found
    names = list(store.subjects[SUBJECT].to_numpy())
    chosen = [subject] if subject in names else names
    store.check_values(node, [names.index(name) for name in chosen])


def recorded_subjects(recording: Path) -> set[str] | None:
    """Return the subjects that a probe has recorded, by the path of its recordings from a network.

    The arrays have a row for every subject of the experiment, also where there is no recording.

    Parameters
    ----------
    recording : Path
        ``NAME.zarr/recordings/PROBE/NETWORK``.

    Returns
    -------
    set of str or None
        None if this is no such path.
    """
    found = _place(recording)
    if found is None or not (own := re.fullmatch(r"recordings/([^/]+)/([^/]+)", found[1])):
        return None
    store, (probe, network) = found[0], own.groups()
    [group] = [each for each in resume(store).plan.network_groups if each.name == network]
    rows = sorted(set(group.members) & store.committed_subjects(stage(probe)))
    return set(map(str, store.subjects[SUBJECT].to_numpy()[np.array(rows, dtype=int)]))


def training_subject(
    paths: Sequence[Path], subject: str | None, facts: DecoderMetadata
) -> Iterator[str]:
    """Yield a note if the recording is of a subject on which the decoder was trained."""
    for path in paths:
        inside = any(each.stem == facts.title for each in path.absolute().parents)
        if inside and subject in facts.subjects:
            yield (
                f"The decoder was trained on {subject} of {facts.title}: this prediction does not "
                "show how well it identifies other subjects."
            )


def _place(recording: Path) -> tuple[Store, str] | None:
    """Return the experiment in which a recording lies, and its node there, if there is one."""
    if (root := experiment_of(recording)) is None:
        return None
    store = Store.open(root)
    node = recording.absolute().relative_to(root).as_posix()
    return (store, node) if node in store.nodes() else None
