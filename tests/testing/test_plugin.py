"""Parts that the conformance checks of several kinds of plug-ins share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from virtuallab import registry
from virtuallab.fields import PositiveFloat, setting
from virtuallab.registry import CLASSIFIERS, NOISE_MODELS, Registry
from virtuallab.testing.plugin import broken, global_state, plugin_instance, varied


class Base:
    """Base class of the plug-ins of these tests."""


@dataclass(frozen=True)
class Named(Base):
    """A plug-in that has all that is needed."""

    name: ClassVar[str] = "named"
    rate: PositiveFloat = setting(0.5, doc="A rate.")
    offset: float = setting(0.0, doc="An offset.")
    count: int = setting(3, doc="A number.")


REGISTRIES = [each for each in vars(registry).values() if isinstance(each, Registry)]


def test_a_name_a_class_and_an_instance_give_an_instance() -> None:
    assert plugin_instance(Named, NOISE_MODELS, Base) == Named()
    assert plugin_instance(Named(rate=2.0), NOISE_MODELS, Base).rate == 2.0
    assert plugin_instance("kernel_svm", CLASSIFIERS, object).name == "kernel_svm"


def test_a_class_of_another_kind_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"^Named does not derive from int\.$"):
        plugin_instance(Named, NOISE_MODELS, int)


@pytest.mark.parametrize("kind", REGISTRIES, ids=lambda kind: kind.kind)
def test_a_class_without_a_name_is_told_the_registry_of_its_kind(kind: Registry[Any]) -> None:
    with pytest.raises(AssertionError, match="Base has no name") as error:
        plugin_instance(Base, kind, Base)
    [name] = [word[1:] for word in str(error.value).split() if word.startswith("@")]
    assert getattr(registry, name.partition(".")[0]) is kind


def test_fields_must_be_hashable() -> None:
    @dataclass(frozen=True)
    class WithList(Named):
        values: list[int] | tuple[int, ...] = (1,)

    assert plugin_instance(WithList(), NOISE_MODELS, Base)
    with pytest.raises(AssertionError, match=r"WithList cannot be hashed .*numbers, texts or tup"):
        plugin_instance(WithList(values=[1]), NOISE_MODELS, Base)


def test_a_hash_by_identity_is_refused() -> None:
    @dataclass(frozen=True, eq=False)
    class ByIdentity(Named):
        __hash__ = object.__hash__

    with pytest.raises(AssertionError, match="ByIdentity and its copy have different hashes"):
        plugin_instance(ByIdentity(), NOISE_MODELS, Base)


def test_a_plug_in_that_is_no_dataclass_has_no_fields_to_hash() -> None:
    class Plain(Base):
        name = "plain"
        __hash__ = None  # type: ignore[assignment]

    assert isinstance(plugin_instance(Plain, NOISE_MODELS, Base), Plain)


def test_varied_settings_are_smaller_by_tenths_or_above_zero() -> None:
    assert varied(Named(), 0) == Named()
    found = varied(Named(), 2)
    assert found.rate == pytest.approx(0.4)
    assert found.offset == pytest.approx(0.02)
    assert found.count == 3


def test_a_failed_check_names_the_kind_and_the_plug_in_in_one_sentence() -> None:
    with pytest.raises(AssertionError, match=r"^rule 'named' diverges\.$"):
        broken("rule", Named(), "diverges.")
    with pytest.raises(AssertionError, match=r"^rule 'Base' diverges\.$"):
        broken("rule", Base(), "diverges")


@pytest.mark.usefixtures("own_random_streams")
def test_one_draw_changes_the_state_of_the_global_stream() -> None:
    before = global_state()
    assert global_state() == before
    np.random.default_rng(0).random()
    assert global_state() == before
    np.random.random()  # noqa: NPY002
    assert global_state() != before
