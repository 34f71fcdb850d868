"""Metadata of a decoder can be written as JSON, and read back with every type checked."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict, fields
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.store.decoders.toy import METADATA
from virtuallab.store.decoders.metadata import DecoderMetadata

WRONG = {str: 5, int: "5", float: "much", tuple: "abc", dict: [1]}


def read(written: dict[str, Any]) -> DecoderMetadata:
    found: DecoderMetadata = TypeAdapter(DecoderMetadata).validate_json(
        json.dumps(written), strict=True
    )
    return found


def test_metadata_are_the_same_after_json() -> None:
    found = read(asdict(METADATA))
    assert found == METADATA
    assert isinstance(found.visits, tuple), "lists of JSON become tuples again"


@pytest.mark.parametrize("name", [field.name for field in fields(DecoderMetadata)])
def test_no_field_may_be_missing_or_of_another_type(name: str) -> None:
    written = asdict(METADATA)
    without = {key: value for key, value in written.items() if key != name}
    for broken in (without, written | {name: WRONG[type(written[name])]}):
        with pytest.raises(ValidationError, match=name):
            read(broken)


def test_a_ratio_may_be_unknown() -> None:
    assert read(asdict(METADATA) | {"snr": None}).snr is None


def test_metadata_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        METADATA.accuracy = 1.0  # type: ignore[misc]
