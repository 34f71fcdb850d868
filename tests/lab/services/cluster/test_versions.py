"""Versions that decide results."""

from __future__ import annotations

import sys
from importlib.metadata import version

import pytest

from virtuallab.errors import UserError
from virtuallab.lab.services.cluster.versions import check_versions, difference, own_versions


class Client:
    """Answers as a client does whose workers have some versions."""

    def __init__(self, **workers: dict[str, str | None]) -> None:
        self._workers = workers

    def get_versions(self, packages: tuple[str, ...]) -> dict[str, object]:
        own = {name: version(name) for name in packages}
        python = ".".join(map(str, sys.version_info))

        def of(changed: dict[str, str | None]) -> dict[str, object]:
            found = {"python": python, **own, **changed}
            return {"host": {"python": found.pop("python")}, "packages": found}

        workers = {f"tcp://{name}:1": of(each) for name, each in self._workers.items()}
        return {"client": of({}), "workers": workers}


def test_versions_are_those_without_the_name_of_the_build() -> None:
    found = own_versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["torch"] == version("torch").partition("+")[0]
    assert found.keys() == {"virtuallab", "torch", "numpy", "python"}


def test_equal_versions_and_another_build_are_accepted() -> None:
    build = {"torch": version("torch").partition("+")[0] + "+cu130"}
    check_versions(Client(a={}, b=build), "tcp://head:1")
    assert difference(own_versions(), own_versions()) == ""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"torch": "1.0.0"}, r"tcp://old:1: torch 1\.0\.0 \(here \d"),
        ({"numpy": "1.26.0"}, r"tcp://old:1: numpy 1\.26\.0 \(here \d"),
        ({"python": "3.10.1.final.0"}, r"tcp://old:1: python 3\.10\.1 \(here 3\."),
        ({"virtuallab": None}, r"tcp://old:1: virtuallab not installed \(here \d"),
    ],
)
def test_each_worker_with_other_versions_is_named(
    changed: dict[str, str | None], words: str
) -> None:
    with pytest.raises(UserError, match=words) as found:
        check_versions(Client(a={}, old=changed), "tcp://head:1")
    assert "tcp://a:1" not in str(found.value)
    assert "cluster at tcp://head:1" in str(found.value)
