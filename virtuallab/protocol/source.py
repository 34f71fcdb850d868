"""Read YAML 1.2 into plain data, remembering the line of every key.

Only plain data comes out: mappings, lists, text, numbers, true, false and nothing. Whoever hands us
a file cannot make the reader run anything, nor grow a small file into a large one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from virtuallab.errors import Fault, ProtocolError
from virtuallab.protocol.explain import Place, path_of

_MOST_VALUES = 20_000
_TAG = "tag:yaml.org,2002:"
_SCALARS = ("null", "bool", "int", "float")
_AS_TEXT = ("str", "timestamp", "merge", "value")  # YAML 1.2 gives the last three no meaning


@dataclass(frozen=True)
class Source:
    """Where a protocol's words stand.

    Parameters
    ----------
    file : str
        The file as the user named it.
    text : str
        Its text.
    lines : mapping
        Place in the document -> line, counted from 1.
    overrides : tuple of str
        Settings given apart from the file, ``"subjects.replicates=2"``.
    overridden : mapping
        Place in the document -> the override that set it.
    """

    file: str = ""
    text: str = ""
    lines: Mapping[Place, int] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    overridden: Mapping[Place, str] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Line of a place, or of the nearest that holds it; 0 in an empty document."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return 0

    def fault(self, place: Place, message: str) -> Fault:
        """Say that something is wrong at a place."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.overridden:
                return Fault(f"-s {self.overridden[place[:end]]}", 0, path_of(place), message)
        for at, override in self.overridden.items():
            if at[: len(place)] == place and place not in self.lines:  # a section it has made
                return Fault(f"-s {override}", 0, path_of(place), message)
        return Fault(self.file, self.line(place), path_of(place), message)


def parse(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    """Read a YAML text.

    Returns
    -------
    tuple
        Plain data, None for an empty text; and the line of each place in it.

    Raises
    ------
    ProtocolError
        If it is not YAML, or not plain data.
    """
    yaml = YAML(typ="safe", pure=True)  # the C parser reads YAML 1.1, where 1e-3 is text
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise ProtocolError([Fault(file, line, "", _not_yaml(error))]) from None
    except YAMLError as error:
        words = str(error).splitlines()[0]
        raise ProtocolError([Fault(file, 0, "", f"not a YAML text: {words}.")]) from None
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


def _not_yaml(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context).strip()
    context = f" {error.context}" if error.context and error.problem else ""
    hint = " Indent with spaces, not tabs." if "\\t" in problem else ""
    return f"not valid YAML: {problem}{context}.{hint}"


class _Builder:
    """Builds plain data from YAML nodes, and collects lines and faults on the way."""

    def __init__(self, file: str, yaml: Any) -> None:
        self.file = file
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self._yaml = yaml
        self._values = 0
        self._open: set[int] = set()

    def build(self, node: Node, place: Place) -> Any:
        """Build one node; an alias is built again, as if it were written out."""
        self.lines.setdefault(place, _line(node))
        self._values += 1
        if self._values > _MOST_VALUES:
            fault = Fault(self.file, 0, "", f"more than {_MOST_VALUES:,} values, aliases expanded.")
            raise ProtocolError([fault])
        if isinstance(node, ScalarNode):
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
            self._refuse(node, place, f"{node.value[:60]!r} cannot be read as {kind}.")
            return None

    def _text(self, node: ScalarNode, place: Place) -> str:
        # JSON writes characters beyond the first plane as two halves; YAML reads them as two.
        try:
            return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(node, place, "half of a character. Write it out.")
            return ""

    def _refuse(self, node: Node, place: Place, message: str) -> None:
        self.faults.append(Fault(self.file, _line(node), path_of(place), message))


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
