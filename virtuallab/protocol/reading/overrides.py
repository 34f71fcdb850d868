"""Overrides of settings: ``-s subjects.replicates=2``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from virtuallab.errors import Fault, ProtocolError
from virtuallab.protocol.messages.explain import found
from virtuallab.protocol.messages.places import Place, place_of
from virtuallab.protocol.reading.yaml import parse


def override(data: Any, overrides: Sequence[str]) -> dict[Place, str]:
    """Replace values in a document, which is changed in place.

    Parameters
    ----------
    data : dict
        The document as :func:`virtuallab.protocol.reading.yaml.parse` returns it.
    overrides : sequence of str
        ``PATH=VALUE``; a value is read as YAML. A later one replaces an earlier one.

    Returns
    -------
    dict
        Place in the document -> the override that set it.

    Raises
    ------
    ProtocolError
        With every override that cannot be read or whose path does not exist.
    """
    overridden: dict[Place, str] = {}
    faults: list[Fault] = []
    for text in overrides:
        path, equals, written = text.partition("=")
        place = place_of(path.strip())
        source = f"-s {text}"
        if not equals or place is None:
            message = "is no setting. Write PATH=VALUE, as in subjects.replicates=2."
            faults.append(Fault(source, 0, "", message))
            continue
        try:
            value, _ = parse(written, source)
            _set(data, place, value)
        except ProtocolError as error:
            faults += [Fault(source, 0, path, fault.message) for fault in error.faults]
        except LookupError as error:
            faults.append(Fault(source, 0, path, str(error.args[0])))
        else:
            overridden = {k: v for k, v in overridden.items() if k[: len(place)] != place}
            overridden[place] = text
    if faults:
        raise ProtocolError(faults)
    return overridden


def _set(data: Any, place: Place, value: Any) -> None:
    """Set one value; missing sections are made, missing entries of lists are not.

    Raises
    ------
    LookupError
        If the document has no such place.
    """
    at = data
    for part, following in zip(place, (*place[1:], None), strict=True):
        _demand(at, part)
        if following is None:
            at[part] = value
            return
        inside = at[part] if isinstance(part, int) else at.get(part)
        if isinstance(following, str) and not isinstance(inside, dict | list):
            # A plug-in given by its name, or a missing section.
            inside = {} if inside is None else {"name": inside}
            at[part] = inside
        if following == 0 and (
            isinstance(inside, str) or (isinstance(inside, dict) and "name" in inside)
        ):
            inside = at[part] = [inside]  # the only entry, written without a list
        at = inside


def _demand(at: Any, part: str | int) -> None:
    """Raise a ``LookupError`` if this part of a path does not exist."""
    if isinstance(part, int) != isinstance(at, list):
        needed = "an entry of a list" if isinstance(part, int) else "a key of a mapping"
        raise LookupError(f"{part!r} is {needed}, but there is {found(at)}.")
    if isinstance(part, int) and part >= len(at):
        raise LookupError(f"there is no entry [{part}]: the list has {len(at)}.")
