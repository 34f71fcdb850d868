"""Text of a tuned protocol, in which open settings have the best values of a search."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from virtuallab.errors import ProtocolError
from virtuallab.paths import expanded
from virtuallab.protocol.messages.places import path_of
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.reading.contacts import SECTIONS, device_files
from virtuallab.protocol.reading.overrides import override
from virtuallab.protocol.reading.task_files import tasks_with_files
from virtuallab.protocol.reading.yaml import block_style, dump, parse
from virtuallab.protocol.schema import with_moved_schema

_OPTIMIZER = "optimizer."
_RATE = "learning_rate"


def tuned_text(
    protocol: Protocol,
    best: Mapping[int, Mapping[str, Any]],
    heading: Sequence[str] = (),
    *,
    folder: Path | None = None,
) -> str:
    """Return the text of a protocol with values for its open settings, with comments if possible.

    If several rules share ``subjects.optimizer``, it takes the values of the first of them, and the
    others get an optimizer of their own. Where a learning rate gets its value, analyses do not hold
    out learning rates, because its rule has only one.

    Parameters
    ----------
    protocol : Protocol
        Its overrides are written into the text.
    best : mapping from int to mapping from str to object
        Values by index of the rule and path of the setting (``amp``, ``optimizer.learning_rate``).
    heading : sequence of str
        Lines of comment at the beginning.
    folder : Path, optional
        Folder where the text will be, to which relative paths of files and of the schema are
        adapted; by default that of the protocol.
    """
    before = protocol.path.parent if protocol.path else Path()
    after = before if folder is None else folder
    is_moved = after.absolute() != before.absolute()
    plain, _ = parse(protocol.text, protocol.name)
    override(plain, protocol.overrides)
    values = _overrides(protocol, best, plain)
    if is_moved:
        values += _moved_files(plain, before, after)
    override(plain, values)
    body = _with_comments(protocol.text, [*protocol.overrides, *values])
    if body is None or not _reads_as(body, plain):
        body = dump(plain)
    lines = "".join(f"# {line}".rstrip() + "\n" for line in heading)
    return with_moved_schema(lines + body, before, after) if is_moved else lines + body


def _overrides(
    protocol: Protocol, best: Mapping[int, Mapping[str, Any]], plain: Mapping[str, Any]
) -> list[str]:
    """Return the values as overrides."""
    rules = protocol.subjects.rules
    shared = [index for index, entry in enumerate(rules) if entry.optimizer is None]
    found: list[str] = []
    for index, values in best.items():
        entry = f"subjects.rules[{index}]"
        borrowed = {
            path.removeprefix(_OPTIMIZER): value
            for path, value in values.items()
            if path.startswith(_OPTIMIZER) and index in shared
        }
        own = {
            path: value
            for path, value in values.items()
            if not (path.startswith(_OPTIMIZER) and borrowed)
        }
        found += [f"{entry}.{path}={json.dumps(value)}" for path, value in own.items()]
        if index in shared[:1]:
            found += [f"subjects.optimizer.{k}={json.dumps(v)}" for k, v in borrowed.items()]
        elif borrowed:
            written = plain["subjects"]["optimizer"]
            written = {"name": written} if isinstance(written, str) else written
            found.append(f"{entry}.optimizer={json.dumps({**written, **borrowed})}")
    if any(f"{_OPTIMIZER}{_RATE}" in values for values in best.values()):
        for name, analysis in protocol.analyses.items():
            if _RATE in analysis.held_out:
                kept = [split for split in analysis.held_out if split != _RATE]
                found.append(f"analyses.{name}.hold_out={json.dumps(kept)}")
    return found


def _moved_files(plain: Any, before: Path, after: Path) -> Iterator[str]:
    """Yield an override for each relative path of a file, as it is from another folder."""
    found = {(*place, "path"): task["path"] for task, place in tasks_with_files(plain)}
    for section in SECTIONS:
        for holder, key, place in device_files(plain.get(section), (section,)):
            found[place] = holder[key]
    for place, path in found.items():
        if not expanded(path).is_absolute():
            moved = Path(os.path.relpath(before / expanded(path), after)).as_posix()
            yield f"{path_of(place)}={json.dumps(moved)}"


def _with_comments(text: str, overrides: Sequence[str]) -> str | None:
    """Return the text with other values; None if aliases of YAML make that impossible."""
    yaml = block_style()
    try:
        data = yaml.load(text)
        override(data, overrides)
    except (ProtocolError, YAMLError):
        return None
    for entry in data["subjects"]["rules"]:
        if isinstance(entry, CommentedMap) and type(entry.get("optimizer")) is dict:
            # A comment belongs to the key before it: a last key would come after the comment on the
            # next section.
            entry.insert(1, "optimizer", entry.pop("optimizer"))
    out = io.StringIO()
    yaml.dump(_in_one_line(data), out)
    return out.getvalue()


def _in_one_line(value: Any) -> Any:
    """Return values with mappings from overrides marked to be written in braces, in one line."""
    if isinstance(value, CommentedMap | CommentedSeq):
        entries = value.items() if isinstance(value, CommentedMap) else enumerate(value)
        for key, each in list(entries):
            made = _in_one_line(each)
            if made is not each:
                value[key] = made
        return value
    if isinstance(value, dict):
        line = CommentedMap({key: _in_one_line(each) for key, each in value.items()})
        line.fa.set_flow_style()
        return line
    return value


def _reads_as(text: str, plain: Any) -> bool:
    try:
        return bool(parse(text, "")[0] == plain)
    except ProtocolError:
        return False
