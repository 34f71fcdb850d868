"""Text of a tuned protocol, in which open settings have the best values of a search."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from virtuallab.errors import ProtocolError
from virtuallab.protocol.model import Protocol
from virtuallab.protocol.reading.overrides import override
from virtuallab.protocol.reading.yaml import block_style, dump, parse

_OPTIMIZER = "optimizer."
_RATE = "learning_rate"


def tuned_text(
    protocol: Protocol, best: Mapping[int, Mapping[str, Any]], heading: Sequence[str] = ()
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
    """
    plain, _ = parse(protocol.text, protocol.name)
    override(plain, protocol.overrides)
    values = _overrides(protocol, best, plain)
    override(plain, values)
    body = _with_comments(protocol.text, [*protocol.overrides, *values])
    if body is None or not _reads_as(body, plain):
        body = dump(plain)
    return "".join(f"# {line}".rstrip() + "\n" for line in heading) + body


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
