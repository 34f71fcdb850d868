"""How far the subjects of a store are: which are preserved, which probes have a place there."""

from __future__ import annotations

import json
import shlex

from virtuallab.errors import UserError
from virtuallab.store import Store
from virtuallab.vocabulary import DONE

SNAPSHOTS = "snapshots"  # the group of preserved states
REFERENCES = "references"  # the group of reference networks
TRAIN = "subjects"  # the stage whose commit records say which subjects are preserved


def stage(probe: str) -> str:
    """Name of the stage whose commit records say which subjects a probe has recorded."""
    return f"probe-{probe}"


def recordings_of(probe: str) -> str:
    """Return the group of a probe's recordings, all groups of networks together."""
    return f"recordings/{probe}"


def recording_node(probe: str, group: str) -> str:
    """Return where a probe's recordings from one group lie."""
    return f"{recordings_of(probe)}/{group}"


def feature_node(probe: str) -> str:
    """Return where the features of a probe's recordings lie, all groups of networks together."""
    return f"features/{probe}"


def noise_node(probe: str) -> str:
    """Return where the features of a probe's noise lie: recorded where the signal was removed."""
    return f"signal_removed/{probe}"


def living(store: Store) -> set[int]:
    """Subjects that are preserved and did not diverge: those a probe can be implanted in."""
    records = store.committed(TRAIN)
    return {index for index, record in records.items() if record["status"] == DONE}


def run_command(store: Store) -> str:
    """Write the command that trains the subjects of a store, for messages."""
    return shlex.join(["virtuallab", "run", "PROTOCOL", "--store", str(store.path)])


def check_trained(store: Store) -> None:
    """Refuse an experiment whose subjects are not all trained: results would rest on a part.

    Raises
    ------
    UserError
        With how many are trained, and the command that trains the others.
    """
    total, trained = sum(map(len, store.plan["cohorts"])), len(store.committed_subjects(TRAIN))
    if trained < total:
        run = run_command(store)
        raise UserError(f"{store.path}: {trained} of {total} subjects are trained. First: `{run}`")


def is_preserved(store: Store) -> bool:
    """Return whether a store has the states of its subjects.

    It has none if subjects were only recorded during training, or if it is a copy without states.
    """
    return _was_preserved(store) and not is_copy(store)


def _was_preserved(store: Store) -> bool:
    """Return whether states were kept when the subjects were trained."""
    subjects = json.loads(store.provenance.get("protocol_resolved", "{}")).get("subjects", {})
    return bool(subjects.get("preserve", True))


def is_copy(store: Store) -> bool:
    """Return whether a store is a copy without states, as ``virtuallab export`` makes it."""
    return SNAPSHOTS in store.left_out


def check_preserved(store: Store, consequence: str, remedy: str | None = None) -> None:
    """Refuse an experiment without the states of its subjects.

    Parameters
    ----------
    store : Store
    consequence : str
        What cannot be done without preserved subjects, as the end of a sentence.
    remedy : str, optional
        A sentence that says what to do if subjects were not preserved. Default: preserve the
        subjects in another store.

    Raises
    ------
    UserError
        With the remedy.
    """
    if is_copy(store) and _was_preserved(store):
        raise UserError(
            f"{store.path} is a copy without the states of its subjects, so {consequence}. Use the "
            "experiment from which it was copied, or run its protocol into another store."
        )
    if not is_preserved(store):
        if remedy is None:
            remedy = "Run its protocol into another store with subjects.preserve: true."
        raise UserError(
            f"{store.path}: its subjects are not preserved (subjects.preserve: false), so "
            f"{consequence}. {remedy}"
        )


def refuse_copy(store: Store) -> None:
    """Refuse a copy without states, in which nothing can be trained or recorded.

    Raises
    ------
    UserError
        With the commands that work on it.
    """
    if is_copy(store):
        path = shlex.quote(str(store.path))
        raise UserError(
            f"{store.path} is a copy without the states of its subjects, so nothing can be trained "
            f"or recorded in it. It can be decoded and reported: `virtuallab decode {path}`, "
            f"`virtuallab report {path}`. If it is damaged, copy the experiment again."
        )


def probes_in(store: Store) -> list[str]:
    """Return names of the probes that have a place in the store, whether they recorded or not."""
    places = ("features/", "recordings/")
    return sorted({node.split("/")[1] for node in store.nodes() if node.startswith(places)})


ALL_DIVERGED = (
    "every subject diverged, so there is nothing to record or decode. Lower the learning rates, or "
    "the strengths of the rules."
)


def check_living(store: Store) -> None:
    """Refuse an experiment in which no subject can be recorded.

    Raises
    ------
    UserError
        That they are not trained yet, with the command that trains them, or that all diverged.
    """
    if not living(store):
        check_trained(store)
        raise UserError(ALL_DIVERGED)
