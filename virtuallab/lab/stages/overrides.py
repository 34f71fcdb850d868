"""Overrides of a protocol in commands that use a part of it; others would change nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from virtuallab.errors import Fault, ProtocolError, suggest
from virtuallab.protocol import Protocol, as_protocol, read_text
from virtuallab.protocol.messages.places import place_of
from virtuallab.store import Store
from virtuallab.text import as_names


def protocol_for(
    command: str,
    section: str,
    store: Store,
    protocol: Protocol | Mapping[str, Any] | str | Path | None,
    overrides: Sequence[str],
) -> Protocol:
    """Return the protocol of which a command on an experiment uses one section.

    Parameters
    ----------
    command, section : str
        The command, ``"decode"``, and what it uses, ``"analyses"``.
    store : Store
    protocol : Protocol, mapping, str or Path, optional
        Another protocol; the experiment's own if None.
    overrides : str or sequence of str
        Settings of that section.

    Raises
    ------
    ProtocolError
        If the protocol is not valid, or an override belongs to another section.
    """
    check_sections(
        overrides,
        {section},
        f"`virtuallab {command}` uses only the section {section!r} of a protocol; subjects, seed "
        "and all other settings are those of the experiment",
    )
    if protocol is not None:
        return as_protocol(protocol, overrides)
    kept = store.provenance["protocol_resolved"]
    return read_text(kept, name=str(store.path), overrides=overrides)


def check_sections(overrides: Sequence[str], used: Collection[str], reason: str) -> None:
    """Refuse overrides that would change nothing.

    Parameters
    ----------
    overrides : str or sequence of str
        Those that are no settings at all are left to the reader of protocols.
    used : collection of str
        Sections that the command uses.
    reason : str
        Why the others have no effect, a sentence without its full stop.

    Raises
    ------
    ProtocolError
        With each of these overrides.
    """
    faults = []
    for text in as_names(overrides):
        path, equals, _ = text.partition("=")
        place = place_of(path.strip())
        if not equals or place is None or place[0] in used:
            continue
        if place[0] in Protocol.model_fields:
            words = f"has no effect: {reason}. Leave it out."
        else:
            words = f"no such key. {suggest(str(place[0]), used)}"
        faults.append(Fault(f"-s {text}", 0, path.strip(), words))
    if faults:
        raise ProtocolError(faults)
