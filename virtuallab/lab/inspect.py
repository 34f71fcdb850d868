"""Look at an experiment without changing it; look at what a protocol may name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from virtuallab import registry
from virtuallab.errors import UnknownName
from virtuallab.lab import record, train
from virtuallab.lab.cost import megabytes, stored
from virtuallab.store import Store
from virtuallab.store.open import check_is_ours
from virtuallab.vocabulary import STATUS

_KINDS = {
    "rules": registry.RULES,
    "optimizers": registry.OPTIMIZERS,
    "architectures": registry.ARCHITECTURES,
    "tasks": registry.TASKS,
    "devices": registry.DEVICES,
    "classifiers": registry.CLASSIFIERS,
}


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
    total = store.subjects.sizes["subject"]
    trained = store.committed(train.STAGE)
    fate = Counter(STATUS[int(kept["status"])] for kept in trained.values())
    fate["pending"] += total - len(trained)
    table = Table(title=str(path), title_justify="left")
    for column in ("stage", "finished", "of", ""):
        table.add_column(column, justify="right" if column in ("finished", "of") else "left")
    remarks = ", ".join(f"{count} {word}" for word, count in sorted(fate.items()) if count)
    table.add_row("train", str(len(trained)), str(total), remarks)
    living = len(record.living(store))
    for probe in record.probes_in(store):
        finished = len(store.committed(record.stage(probe)))
        table.add_row(f"probe {probe}", str(finished), str(living), "")
    return table, store.verify() if verify else []


def info(path: Path) -> RenderableType:
    """What an experiment holds, and where it came from; its records are not needed."""
    check_is_ours(path)
    store = Store(path)
    provenance = dict(store.provenance)
    text = provenance.pop("protocol_yaml", "")
    provenance.pop("protocol_resolved", None)
    table = Table(
        title=f"{path} ({megabytes(stored(path))})", title_justify="left", show_header=False
    )
    for key, value in provenance.items():
        table.add_row(key, _short(value))
    for node in store.nodes():
        table.add_row(node, ", ".join(f"{k} {v}" for k, v in store.read(node).sizes.items()))
    return Group(table, Text("\nProtocol\n"), Text(text))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def plugins(kind: str | None = None) -> RenderableType:
    """List the names a protocol may use, of one kind or of all.

    Raises
    ------
    UnknownName
        If there is no such kind.
    """
    if kind is not None and kind not in _KINDS:
        raise UnknownName("kind of plug-in", kind, _KINDS)
    table = Table(show_header=True)
    for column in ("kind", "name", "local", "what it is"):
        table.add_column(column)
    for plural in [kind] if kind else _KINDS:
        for name in _KINDS[plural]:
            plugin = _KINDS[plural][name]
            doc = (plugin.__doc__ or "").strip().splitlines()
            # Of a rule: could a synapse compute it from what reaches it?
            answers: dict[object, str] = {True: "yes", False: "no"}
            local = answers.get(getattr(plugin, "local", None), "")
            table.add_row(plural, name, local, doc[0] if doc else "")
    return table
