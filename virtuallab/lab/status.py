"""State and contents of an experiment, which is not changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Group, RenderableType

from virtuallab.console import plain, terminal_table
from virtuallab.errors import MachineError
from virtuallab.lab.services.resources import megabytes, stored
from virtuallab.lab.stages.nodes import TRAIN, is_copy, probes_in, stage
from virtuallab.store import Store, open_tree
from virtuallab.store.integrity.damage import Damage
from virtuallab.store.integrity.verification import verify_bytes
from virtuallab.vocabulary import DONE, STATUS


def status(path: Path, *, verify: bool = False) -> tuple[RenderableType, list[str]]:
    """Progress of an experiment by stage, and its damaged files.

    Parameters
    ----------
    path : Path
        The store.
    verify : bool
        Compare every file of the store with the digest it was written with; otherwise only the
        commit records.

    Returns
    -------
    tuple
        A table for the terminal, and a line for each damaged file.

    Raises
    ------
    StoreError
        If there is no such experiment.
    MachineError
        If the root's metadata or the manifest is damaged, and ``verify`` is not asked.
    """
    try:
        store = Store.open(path)
    except MachineError:
        if verify and (damage := verify_bytes(path)):
            return plain(f"{path}: what is damaged has to be made anew first"), _lines(damage)
        raise
    damage = store.verify() if verify else store.damaged_records()
    trained = store.committed(TRAIN, only_sound=True)
    total = sum(map(len, store.plan["cohorts"]))
    outcomes = Counter(STATUS[int(kept["status"])] for kept in trained.values())
    outcomes["pending"] += total - len(trained)
    copy = "A copy without the states of its subjects: they cannot be recorded again."
    table = terminal_table(str(path), copy if is_copy(store) else None)
    for column in ("stage", "finished", "of", "outcome"):
        table.add_column(column, justify="right" if column in ("finished", "of") else "left")
    remarks = ", ".join(f"{count} {word}" for word, count in sorted(outcomes.items()) if count)
    table.add_row("train", str(len(trained)), str(total), remarks)
    for probe in probes_in(store):
        finished = len(store.committed(stage(probe), only_sound=True))
        table.add_row(f"probe {probe}", str(finished), str(outcomes[STATUS[DONE]]), "")
    decoded = {node.split("/")[1] for node in store.nodes() if node.startswith("decoding/")}
    for analysis in sorted(decoded | _own_analyses(store)):
        table.add_row(f"decode {analysis}", str(int(analysis in decoded)), "1", "")
    if verify and not damage:
        return Group(table, plain("Every file has the digest with which it was written.")), []
    return table, _lines(damage)


def _own_analyses(store: Store) -> set[str]:
    """Names of the analyses of the protocol that made the experiment; none where it is damaged."""
    with suppress(KeyError, ValueError, TypeError):
        return set(json.loads(store.provenance["protocol_resolved"])["analyses"])
    return set()


def _lines(damage: Sequence[Damage]) -> list[str]:
    return [str(each) for each in damage]


def info(path: Path) -> RenderableType:
    """Contents and provenance of an experiment; its records are not needed."""
    tree = open_tree(path)
    provenance = {key: value for key, value in tree.attrs.items() if key != "plan"}
    text = str(provenance.pop("protocol_yaml", ""))
    provenance.pop("protocol_resolved", None)
    table = terminal_table(f"{path} ({megabytes(stored(path))})", header=False)
    for key, value in provenance.items():
        table.add_row(str(key), _short(value))
    for node in tree.subtree:
        if sizes := node.to_dataset(inherit=False).sizes:
            table.add_row(node.path.strip("/"), ", ".join(f"{k} {v}" for k, v in sizes.items()))
    return Group(table, plain("\nProtocol\n"), plain(text))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
