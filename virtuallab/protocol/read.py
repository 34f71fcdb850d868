"""Read a protocol from its file; say everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from virtuallab.errors import Fault, ProtocolError, suggest
from virtuallab.protocol.contacts import inlined
from virtuallab.protocol.explain import expected, faults_of
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.overrides import override, place_of
from virtuallab.protocol.source import Source, parse

_LARGEST = 1_000_000  # bytes; a protocol of a hundred lines has four thousand


def read(path: Path, overrides: Sequence[str] = ()) -> Protocol:
    """Read a protocol.

    Parameters
    ----------
    path : Path
        The YAML file.
    overrides : sequence of str
        Settings that replace the file's, ``"subjects.replicates=2"``; a value is read as YAML.

    Raises
    ------
    ProtocolError
        If it cannot be read or carried out; every fault is listed with its line.
    """
    return read_text(_text_of(path), name=str(path), overrides=overrides, folder=path.parent)


def faults_in(
    paths: Iterable[Path],
    overrides: Sequence[str] = (),
    reader: Callable[[Path, Sequence[str]], object] = read,
) -> list[Fault]:
    """Collect the faults of several protocols.

    Parameters
    ----------
    paths : iterable of Path
    overrides : sequence of str
        Settings that replace those of each file.
    reader : callable
        Raises a ``ProtocolError`` where a protocol is at fault; by default :func:`read`, which
        looks at the file itself and builds no network.
    """
    faults: list[Fault] = []
    for path in paths:
        try:
            reader(path, overrides)
        except ProtocolError as error:
            faults.extend(error.faults)
    return faults


def read_text(
    text: str,
    *,
    name: str = "protocol",
    overrides: Sequence[str] = (),
    folder: Path | None = None,
) -> Protocol:
    """Read a protocol from a text, YAML or JSON; ``name`` is what faults call it.

    Files that it names are sought in ``folder``, the current one if not given.

    Raises
    ------
    ProtocolError
        If it cannot be read or carried out; every fault is listed with its line.
    """
    data, lines = parse(text, name)
    if not isinstance(data, dict):
        raise ProtocolError([_no_mapping(name, data)])
    overridden = override(data, overrides)
    source = Source(name, text, lines, tuple(overrides), overridden)
    inlined(data, folder or Path(), source)
    try:
        protocol = Protocol.model_validate(data)
    except ValidationError as error:
        raise ProtocolError({source.fault(*each) for each in faults_of(error)}) from None
    protocol._source = source
    return protocol


def locate(protocol: Protocol, path: str) -> int:
    """Line of a path like ``probes.sparse.units``, or of the nearest key that holds it."""
    return protocol._source.line(place_of(path) or ())


def fault(protocol: Protocol, path: str, message: str) -> Fault:
    """Say that something found later is wrong with a protocol: with its line, or its override."""
    return protocol._source.fault(place_of(path) or (), message)


def _no_mapping(name: str, data: Any) -> Fault:
    if data is None:
        words = "the file is empty. `virtuallab init` writes a protocol to start from."
        return Fault(name, 0, "", words)
    return Fault(name, 1, "", expected("a mapping of keys", data))


def _text_of(path: Path) -> str:
    """Read a file as text.

    Raises
    ------
    ProtocolError
        If there is none, or it is not a text of reasonable size.
    """

    def refuse(message: str, line: int = 0) -> ProtocolError:
        return ProtocolError([Fault(str(path), line, "", message)])

    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise refuse(f"there is no such file.{_neighbours(path)}") from None
    except IsADirectoryError:
        raise refuse("is a folder. Name the protocol in it.") from None
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}.") from None
    if b"\0" in raw:
        raise refuse("is not a text but a binary file.")
    if len(raw) > _LARGEST:
        raise refuse(f"is larger than {_LARGEST // 1_000_000} MB; no protocol is.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        raise refuse(message, line) from None


def _neighbours(path: Path) -> str:
    """Name the protocols that are where the missing one was sought."""
    if not path.parent.is_dir():
        return f" There is no folder {path.parent} either."
    names = [each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")]
    return f" {suggest(path.name, names)}" if names else ""
