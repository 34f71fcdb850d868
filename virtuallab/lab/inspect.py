"""Look at an experiment without changing it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from rich.console import Group, RenderableType

from virtuallab.console import framed, plain
from virtuallab.lab.cost import megabytes, stored
from virtuallab.lab.stages import TRAIN, living, probes_in, stage
from virtuallab.store import Store
from virtuallab.store.glance import subject_count
from virtuallab.vocabulary import STATUS


def status(path: Path, *, verify: bool = False) -> tuple[RenderableType, list[str]]:
    """How far an experiment has come.

    Parameters
    ----------
    path : Path
        The store.
    verify : bool
        Compare the checksum of every chunk that a commit record names.

    Returns
    -------
    tuple
        A table for the terminal, and a line for each damaged chunk (none where not verified).
    """
    store = Store.open(path)
    total = subject_count(path)
    trained = store.committed(TRAIN)
    fate = Counter(STATUS[int(kept["status"])] for kept in trained.values())
    fate["pending"] += total - len(trained)
    table = framed(str(path))
    for column in ("stage", "finished", "of", ""):
        table.add_column(column, justify="right" if column in ("finished", "of") else "left")
    remarks = ", ".join(f"{count} {word}" for word, count in sorted(fate.items()) if count)
    table.add_row("train", str(len(trained)), str(total), remarks)
    alive = len(living(store))
    for probe in probes_in(store):
        finished = len(store.committed(stage(probe)))
        table.add_row(f"probe {probe}", str(finished), str(alive), "")
    return table, store.verify() if verify else []


def info(path: Path) -> RenderableType:
    """What an experiment holds, and where it came from."""
    store = Store.open(path)
    provenance = dict(store.provenance)
    text = provenance.pop("protocol_yaml", "")
    provenance.pop("protocol_resolved", None)
    table = framed(f"{path} ({megabytes(stored(path))})", header=False)
    for key, value in provenance.items():
        table.add_row(key, _short(value))
    for node in store.nodes():
        table.add_row(node, ", ".join(f"{k} {v}" for k, v in store.read(node).sizes.items()))
    return Group(table, plain("\nProtocol\n"), plain(text))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
