"""The schema that comes with the package, and the one with plug-ins from outside."""

from __future__ import annotations

import json

import pytest

from virtuallab.lab.schema import SHIPPED, text
from virtuallab.registry import OPTIMIZERS, REGISTRIES


def test_the_schema_of_an_installation_without_other_plugins_is_read_and_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made() -> str:
        raise AssertionError("the schema is made")

    monkeypatch.setattr("virtuallab.protocol.schema.text", made)
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "is_as_shipped", lambda: True)
    assert text() == SHIPPED.read_text("utf-8")
    monkeypatch.setattr(REGISTRIES[-1], "is_as_shipped", lambda: False)
    with pytest.raises(AssertionError, match="is made"):
        text()


def test_the_schema_is_made_anew_where_a_plugin_comes_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for registry in REGISTRIES:  # other tests may have registered some
        list(registry)
        ours = {
            n: c for n, c in registry._classes.items() if c.__module__.startswith("virtuallab.")
        }
        monkeypatch.setattr(registry, "_classes", ours)
    assert text() == SHIPPED.read_text("utf-8")
    outside = type("Outside", (OPTIMIZERS["sgd"],), {"__doc__": "Another.", "__module__": "other"})
    OPTIMIZERS.register("outside")(outside)
    assert "optimizer-outside" in json.loads(text())["$defs"]
