from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from tests.protocol.texts import SMALL, complaints, small
from virtuallab.lab.schema import SHIPPED as PACKAGED
from virtuallab.protocol import STARTER, read, read_text, schema
from virtuallab.protocol.reading.yaml import parse
from virtuallab.protocol.schema import with_moved_schema
from virtuallab.registry import RULES

ROOT = Path(__file__).parents[2] / "protocols"
SHIPPED = sorted(ROOT.glob("*.yaml"))
FIRST_LINE = "# yaml-language-server: $schema=./schema/protocol.schema.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return schema.document()


@pytest.fixture(scope="module")
def validator(document: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_the_committed_schema_is_the_generated_one() -> None:
    # In a process of its own: other tests may have registered plug-ins of theirs in this one.
    code = "from virtuallab.protocol import schema; print(schema.text(), end='')"
    made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    for committed in (PACKAGED, ROOT / "schema" / "protocol.schema.json"):
        assert made.stdout == committed.read_bytes(), "run: make schema"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_protocol_is_valid_and_names_its_schema(
    file: Path, validator: jsonschema.Draft202012Validator
) -> None:
    made = read(file)
    assert made.text.splitlines()[0] == FIRST_LINE
    assert made.name == file.stem
    assert made.question
    assert list(validator.iter_errors(parse(made.text, file.name)[0])) == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_protocol_says_the_same_to_other_yaml_readers(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert YAML(typ="safe", pure=True).load(text) == parse(text, file.name)[0]


def test_the_starter_is_valid_and_names_its_schema(
    validator: jsonschema.Draft202012Validator,
) -> None:
    text = STARTER.read_text(encoding="utf-8")
    assert complaints(text) == []
    assert text.splitlines()[0] == FIRST_LINE
    assert list(validator.iter_errors(parse(text, "starter")[0])) == []


def test_a_resolved_protocol_is_valid_too(validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(read_text(SMALL).resolved())) == []


@pytest.mark.parametrize(
    "change",
    [
        ("seed: 3", "sed: 3"),
        ("amp: 0.02", "ampp: 0.02"),
        ("amp: 0.02", "amp: -1"),
        ("amp: 0.02", "amp: '1e-3'"),
        ("amp: 0.02", "amp: []"),
        ("amp: 0.02", "amp: {loguniform: [1, 2]}"),
        ("amp: 0.02", "amp: {uniform: [1, 2, 3]}"),
        ("[knet4]", "[knt4]"),
        ("name: sgd\n", "name: sdg\n"),
        ("units: 20", "units: 0"),
        ("units: 20", "units: every"),
        ("random_forest", "rndom_forest"),
    ],
)
def test_an_editor_sees_the_fault_too(
    change: tuple[str, str], validator: jsonschema.Draft202012Validator
) -> None:
    text = small(change)
    assert complaints(text)
    assert list(validator.iter_errors(parse(text, "p.yaml")[0]))


def test_every_key_is_explained(document: dict[str, Any]) -> None:
    sections = [*document["$defs"].items(), ("protocol", document)]
    silent = [
        f"{name}.{key}"
        for name, section in sections
        for key, value in section.get("properties", {}).items()
        if not value.get("description") and "$ref" not in value
    ]
    assert silent == []


def test_plugins_are_told_apart_by_their_name(document: dict[str, Any]) -> None:
    several, one = document["$defs"]["Subjects"]["properties"]["rules"]["anyOf"]
    assert several["items"] == one
    rules = form(document, one)["anyOf"]
    assert "information_alignment" in form(document, rules[0])["enum"]
    assert {"$ref": "#/$defs/rule-information_alignment"} in rules
    section = document["$defs"]["rule-information_alignment"]
    assert section["properties"]["name"]["const"] == "information_alignment"
    assert section["additionalProperties"] is False
    assert section["properties"]["amp"]["default"] == 2e-2


class Unheard:
    """A type of which pydantic knows nothing."""


def test_a_plugin_whose_settings_cannot_be_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    list(RULES)
    monkeypatch.setattr(RULES, "_classes", dict(RULES._classes))
    monkeypatch.setattr(RULES, "_broken", {})
    space = {"__doc__": "Odd.", "__module__": "other", "__annotations__": {"x": Unheard}, "x": None}
    odd = dataclass(frozen=True, kw_only=True)(type("Odd", (RULES["backprop"],), space))
    RULES.register("odd")(odd)
    [found] = complaints(small(("{name: backprop, label: sgdm}", "{name: odd, label: sgdm, x: 3}")))
    assert "the rule 'odd' cannot be used: other.Odd: its settings cannot be read" in found
    made = schema.document()
    assert "rule-odd" not in made["$defs"]
    assert caplog.text.count("rule odd is left out: other.Odd: its settings cannot be read") == 1


def form(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Resolve a reference to a form that is written once."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return dict(document["$defs"][name]) if name.startswith("form-") else schema


def test_a_form_that_many_settings_have_is_written_once(document: dict[str, Any]) -> None:
    amp = document["$defs"]["rule-information_alignment"]["properties"]["amp"]
    null = document["$defs"]["rule-information_alignment"]["properties"]["null"]
    assert amp["$ref"] == null["$ref"]
    assert amp["description"] != null["description"]
    one, several, sweep = form(document, amp)["anyOf"]
    assert one["type"] == "number"
    assert several["items"] == one
    assert set(form(document, sweep)["properties"]) == {"grid", "choice", "uniform", "log_uniform"}
    sections = [name for name in document["$defs"] if not name.startswith("form-")]
    assert len(schema.text().splitlines()) < 185 * len(sections)


def test_the_schema_is_plain_json(document: dict[str, Any]) -> None:
    assert json.loads(schema.text()) == document
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("protocols", "runs", "../protocols/schema/protocol.schema.json"),
        (".", "runs", "../schema/protocol.schema.json"),
        ("a", "a", "schema/protocol.schema.json"),
    ],
)
def test_an_editor_finds_the_schema_from_where_a_protocol_was_moved_to(
    before: str, after: str, found: str
) -> None:
    text = f"# heading\n{FIRST_LINE}\nname: x\n"
    moved = with_moved_schema(text, Path(before), Path(after))
    assert moved == f"# heading\n# yaml-language-server: $schema={found}\nname: x\n"


def test_a_schema_at_an_address_stays_where_it_is() -> None:
    text = "# yaml-language-server: $schema=https://example.org/s.json\n"
    assert with_moved_schema(text, Path("a"), Path("b")) == text
