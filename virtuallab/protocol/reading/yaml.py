"""Reading of YAML 1.2 into plain data, with the line of every key.

Plain data are mappings, lists, text, numbers, booleans and None. A malicious file can neither run
code nor expand to a large document.
"""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from virtuallab.errors import Fault, ProtocolError
from virtuallab.protocol.messages.places import Place, path_of

_MOST_VALUES = 20_000
_TAG = "tag:yaml.org,2002:"
_SCALARS = ("null", "bool", "int", "float")
_AS_TEXT = ("str", "timestamp", "merge", "value")  # YAML 1.2 gives the last three no meaning


def parse(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    """Return the plain data of a YAML text, and the line of each place in it.

    Data are None for an empty text.

    Raises
    ------
    ProtocolError
        If it is not YAML, or not plain data.
    """
    yaml = YAML(typ="safe", pure=True)  # the C parser reads YAML 1.1, where 1e-3 is text
    try:
        root = yaml.compose(text)
    except YAMLError as error:
        from virtuallab.protocol.messages.yaml_mistakes import explain_yaml_error

        raise ProtocolError([explain_yaml_error(text, file, error)]) from None
    except RecursionError:
        raise ProtocolError([Fault(file, 0, "", "nested too deeply.")]) from None
    if root is None:
        return None, {}
    builder = _Builder(file, yaml)
    try:
        data = builder.build(root, ())
    except RecursionError:
        raise ProtocolError([Fault(file, 0, "", "nested too deeply.")]) from None
    if builder.faults:
        raise ProtocolError(builder.faults)
    return data, builder.lines


def dump(data: Any) -> str:
    """Return plain data as YAML text."""
    out = io.StringIO()
    block_style().dump(data, out)
    return out.getvalue()


def block_style() -> YAML:
    """Return a writer of YAML that keeps comments and writes one setting per line."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


class _Builder:
    """Conversion of YAML nodes to plain data, which collects lines and faults."""

    def __init__(self, file: str, yaml: Any) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self._yaml = yaml
        self._values = 0
        self._open: set[int] = set()

    def build(self, node: Node, place: Place) -> Any:
        """Return the data of one node; an alias is expanded."""
        self.lines.setdefault(place, _line(node))
        self._values += 1
        if self._values > _MOST_VALUES:
            fault = Fault(self.file, 0, "", f"more than {_MOST_VALUES:,} values, aliases expanded.")
            raise ProtocolError([fault])
        if isinstance(node, ScalarNode):
            if node.anchor and not node.value:
                words = "text cannot begin with '&' unless it is in quotes."
                self._refuse(node, place, words)
            return self._scalar(node, place)
        if id(node) in self._open:
            self._refuse(node, place, "this alias stands for something it is part of.")
            return None
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._refuse(node, place, f"the tag {node.tag} means nothing here. Remove it.")
            return None
        self._open.add(id(node))
        built = self._map(node, place) if isinstance(node, MappingNode) else self._list(node, place)
        self._open.discard(id(node))
        return built

    def _list(self, node: Node, place: Place) -> list[Any]:
        return [self.build(each, (*place, index)) for index, each in enumerate(node.value)]

    def _map(self, node: MappingNode, place: Place) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, place, "a key must be a word.")
                continue
            inner = (*place, str(key.value))
            if misread := _misread(node, key, value):
                name, problem = misread
                self._refuse(key, (*place, name), problem)
                continue
            if key.value in built:
                first = self.lines[inner]
                self._refuse(key, inner, f"this key is already on line {first}. Remove one.")
                continue
            self.lines[inner] = _line(key)
            built[str(key.value)] = self.build(value, inner)
        return built

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        tag = str(node.tag)
        kind = tag.removeprefix(_TAG)
        if kind in _AS_TEXT:
            return self._text(node, place)
        if kind not in _SCALARS:
            self._refuse(node, place, f"the tag {tag} means nothing here. Remove it.")
            return None
        try:
            return self._yaml.constructor.construct_object(node, deep=True)
        except (ValueError, KeyError, YAMLError):
            if kind == "int" and node.value.strip("+-").isdigit():
                self._refuse(
                    node, place, f"a whole number of {len(node.value):,} digits is too large."
                )
                return None
            self._refuse(node, place, f"{node.value[:60]!r} cannot be read as {kind}.")
            return None

    def _text(self, node: ScalarNode, place: Place) -> str:
        if node.style is None and re.match(r"-\w", node.value) and _begins_line(node):
            self._refuse(
                node,
                place,
                f"a space is missing after the dash. Write '- {node.value.split()[0][1:61]}'.",
            )
        # JSON writes characters beyond the first plane as two halves; YAML reads them as two.
        try:
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(node, place, "half of a character. Write it out.")
            return ""

    def _refuse(self, node: Node, place: Place, message: str) -> None:
        self.faults.append(Fault(self.file, _line(node), path_of(place), message))


def _misread(node: MappingNode, key: ScalarNode, value: Node) -> tuple[str, str] | None:
    """Return the intended key and a message, if YAML reads something as a key by mistake."""
    text = str(key.value)
    if key.style is not None:  # in quotes
        return None
    if text == "<<":
        return text, "YAML 1.2 does not merge mappings with '<<'. Write the settings out."
    if not isinstance(value, ScalarNode) or value.style is not None or value.value:
        return None
    if re.fullmatch(r"\w+:\S.*", text):
        name, _, rest = text.partition(":")
        return name, f"a space is missing after the colon. Write '{name}: {rest}'."
    for other, before in node.value:
        if before.end_mark.index == key.start_mark.index - 1 and text.isdigit():
            point = f"{before.value}.{text}"
            words = f"'{before.value},{text}' is no number. Write {point}, with a point."
            return str(other.value), words
    if re.fullmatch(r"[-+]?[\d.]+", text) and len(node.value) > 1:
        return text, f"{text} is no key. A list of numbers is written in brackets: [1, 2]."
    return None


def _begins_line(node: Node) -> bool:
    mark = node.start_mark
    lines = re.split(r"\r\n|\r|\n", mark.buffer[: mark.pointer]) if mark.buffer else [""]
    return not lines[-1].strip()


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
