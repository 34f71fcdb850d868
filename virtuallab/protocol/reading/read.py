"""Reading of protocols from files, with all faults reported at once."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from virtuallab.errors import Fault, ProtocolError
from virtuallab.paths import expanded
from virtuallab.protocol.messages.explain import expected, faults_of
from virtuallab.protocol.messages.places import Place, SourceLines, path_of
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.reading.contacts import inline_contacts
from virtuallab.protocol.reading.overrides import override
from virtuallab.protocol.reading.task_files import note_files
from virtuallab.protocol.reading.yaml import dump, parse
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.text import as_names

STARTER = Path(__file__).with_name("starter.yaml")
"""The protocol that ``virtuallab init`` writes."""

_SUFFIXES = (".yaml", ".yml")
_FEW = 3  # names that a message lists
_MOST_LISTED = 10_000  # files of a folder that are considered
_LARGEST = 1_000_000  # bytes; a protocol of a hundred lines has four thousand


def read(path: Path, overrides: Sequence[str] = ()) -> Protocol:
    """Return the protocol in a file.

    Parameters
    ----------
    path : Path
        The YAML file.
    overrides : str or sequence of str
        Settings that replace the file's, ``"subjects.replicates=2"``; a value is read as YAML.

    Raises
    ------
    ProtocolError
        If the protocol is not valid; every fault is listed with its line.
    """
    return read_text(_text_of(path), name=str(path), overrides=overrides, path=path)


def as_protocol(
    protocol: Protocol | Mapping[str, Any] | str | Path, overrides: Sequence[str] = ()
) -> Protocol:
    """Return the protocol of an argument: a protocol, its settings, or its file.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol, its settings as plain data, or the path of its YAML file.
    overrides : sequence of str
        As in :func:`read`.

    Raises
    ------
    ProtocolError
        If the protocol is not valid; every fault is listed.
    TypeError
        If the argument has another type.
    """
    if isinstance(protocol, str | Path):
        return read(expanded(protocol), overrides)
    if isinstance(protocol, Protocol):
        if protocol.text and not overrides:
            return protocol
        # Settings that were built in Python have no text yet, which a store needs.
        protocol = protocol.resolved()
    if not isinstance(protocol, Mapping):
        found = type(protocol).__name__
        raise TypeError(f"a protocol is a Protocol, a mapping or a path of a file, found {found}")
    data = plain(dict(protocol))
    if faults := [Fault("protocol", 0, path_of(each), text) for each, text in _not_plain(data)]:
        raise ProtocolError(faults)
    source = SourceLines("protocol", dump(data), overrides=as_names(overrides))
    return _built(data, source, Path())


def _not_plain(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield values that YAML cannot write, such as sets, by their places."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _not_plain(each, (*place, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _not_plain(each, (*place, index))
    elif not isinstance(value, str | bool | int | float | None):
        yield place, expected("a number, a text, a list or a mapping", value)


def faults_in(
    paths: Iterable[Path],
    overrides: Sequence[str] = (),
    reader: Callable[[Path, Sequence[str]], object] = read,
) -> list[Fault]:
    """Return the faults of several protocols.

    Parameters
    ----------
    paths : iterable of Path
    overrides : sequence of str
        Settings that replace those of each file.
    reader : callable
        Raises a ``ProtocolError`` for a protocol with faults; :func:`read` does not build networks.
    """
    faults: list[Fault] = []
    for path in paths:
        try:
            reader(path, overrides)
        except ProtocolError as error:
            faults.extend(error.faults)
    return faults


def read_text(
    text: str, *, name: str = "protocol", overrides: Sequence[str] = (), path: Path | None = None
) -> Protocol:
    """Return the protocol in a text, YAML or JSON.

    Parameters
    ----------
    text : str
    name : str
        Name of the file in error messages.
    overrides : sequence of str
        As in :func:`read`.
    path : Path, optional
        The file; paths in the protocol are relative to its folder, by default the current one.

    Raises
    ------
    ProtocolError
        If the protocol is not valid; every fault is listed with its line.
    """
    data, lines = parse(text, name)
    if not isinstance(data, dict):
        raise ProtocolError([_no_mapping(name, data)])
    source = SourceLines(name, text, lines, as_names(overrides), path=path)
    return _built(data, source, path.parent if path else Path())


def _built(data: dict[str, Any], source: SourceLines, folder: Path) -> Protocol:
    source = replace(source, overridden=override(data, source.overrides))
    inline_contacts(data, folder, source)
    note_files(data, folder, source)
    try:
        protocol = Protocol.model_validate(data)
    except ValidationError as error:
        raise ProtocolError({source.fault(*each) for each in faults_of(error)}) from None
    protocol._source = source
    return protocol


def _no_mapping(name: str, data: Any) -> Fault:
    if data is None:
        words = "the file is empty. `virtuallab init` writes a protocol to start from."
        return Fault(name, 0, "", words)
    return Fault(name, 1, "", expected("a mapping of keys", data))


_HANDED_OVER = ("/dev/fd", "/dev/stdin", "/proc")  # by a shell: `validate <(make_protocol)`


def _text_of(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    ProtocolError
        If there is no such file, or it is not a text of reasonable size.
    """

    def refuse(message: str, line: int = 0) -> ProtocolError:
        return ProtocolError([Fault(str(path), line, "", message)])

    try:
        if path.is_dir():
            raise refuse(f"is a folder. Name the protocol in it.{_inside(path)}")
        if path.is_fifo() and not any(map(path.is_relative_to, _HANDED_OVER)):
            # Opening a pipe waits until another process writes into it.
            raise refuse("is a named pipe, not a file. Save the protocol in a file.")
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise refuse(f"there is no such file.{_neighbours(path)}") from None
    except PermissionError:
        raise refuse("cannot be read: you have no permission to.") from None
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}.") from None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refuse("is a text in UTF-16. Save the file as UTF-8.")
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
    """Suggest files of a similar name, or of the same name in a neighbouring folder."""
    if not path.parent.is_dir():
        return f" There is no folder {path.parent} either."
    beside = list(_listed(path.parent))
    names = [each.name for each in beside if each.suffix in _SUFFIXES]
    near = get_close_matches(path.name, names, n=_FEW, cutoff=0.7)
    below = [each / path.name for each in beside if (each / path.name).is_file()]
    meant = [*near, *(str(each.relative_to(path.parent)) for each in below)][:_FEW]
    return f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""


def _inside(folder: Path) -> str:
    """List a few of the protocols in a folder."""
    names = sorted(each.name for each in _listed(folder) if each.suffix in _SUFFIXES)
    more = ", ..." if len(names) > _FEW else ""
    return f" There are {', '.join(names[:_FEW])}{more}." if names else ""


def _listed(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from itertools.islice(folder.iterdir(), _MOST_LISTED)
