"""Registers plug-ins of tests for as long as a test runs."""

from __future__ import annotations

from typing import Any

import pytest

from virtuallab.registry import Registry


def register(monkeypatch: pytest.MonkeyPatch, registry: Registry[Any], *plugins: Any) -> None:
    list(registry)  # the shipped plug-ins are known before the registry is copied
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    for plugin in plugins:
        registry.register(plugin.name)(plugin)
