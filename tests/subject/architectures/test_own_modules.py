from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from torch import nn

from virtuallab import plugins
from virtuallab.errors import UnknownName
from virtuallab.fields import plugin_data
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.testing import check_architecture

NET = '''\
from __future__ import annotations

from typing import Literal

from torch import nn

from virtuallab.subject.architecture import Architecture


class Net(nn.Module):
    """A hidden layer and the read-out."""

    def __init__(self, stimulus_shape, outputs: int, hidden: list[int] = [6], *, bias=True,
                 kind: Literal["relu", "tanh"] = "relu", gain: float | None = None,
                 initial=nn.init.zeros_):
        super().__init__()
        assert isinstance(hidden, list)
        channels, height, width = stimulus_shape
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(channels * height * width, hidden[0], bias=bias)
        self.active = nn.ReLU() if kind == "relu" else nn.Tanh()
        self.readout = nn.Linear(hidden[0], outputs)

    def forward(self, x):
        return self.readout(self.active(self.hidden(self.flatten(x))))


class Undescribed(nn.Module):
    def __init__(self, size):
        super().__init__()


class Fixed(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 3))


class Written(Architecture):
    pass


text = "no class"
'''


@pytest.fixture(autouse=True)
def _mynet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VIRTUALLAB_PLUGINS", "")
    (tmp_path / "mynet.py").write_text(NET)
    plugins.load([str(tmp_path / "mynet.py")])
    yield
    del sys.modules["mynet"]


@pytest.mark.usefixtures("own_random_streams")
def test_parameters_of_the_constructor_are_settings() -> None:
    plugin = ARCHITECTURES["mynet:Net"]
    assert [(f.name, f.default) for f in fields(plugin)] == [
        ("hidden", (6,)), ("bias", True), ("kind", "relu"), ("gain", None)
    ]  # fmt: skip
    made = plugin(hidden=(3,), kind="tanh")
    network = made.build((2, 4, 5), 7)
    assert network.hidden.weight.shape == (3, 40)
    assert network.readout.out_features == 7
    assert isinstance(network.active, nn.Tanh)
    assert plugin_data(made) == {
        "name": "mynet:Net", "hidden": (3,), "bias": True, "kind": "tanh", "gain": None
    }  # fmt: skip


def test_it_passes_the_check_of_architectures() -> None:
    check_architecture("mynet:Net")


def test_its_docstring_is_that_of_the_module() -> None:
    assert ARCHITECTURES["mynet:Net"].__doc__ == "A hidden layer and the read-out."
    assert ARCHITECTURES["mynet:Fixed"].__doc__ == "The module mynet:Fixed."


@pytest.mark.usefixtures("own_random_streams")
def test_it_is_one_class_whose_instances_can_be_pickled() -> None:
    assert ARCHITECTURES["mynet:Net"] is ARCHITECTURES["mynet:Net"]
    made = ARCHITECTURES["mynet:Net"](hidden=(3,))
    assert pickle.loads(pickle.dumps(made)) == made
    assert made.sites(made.build((1, 8, 8), 10)).keys() == {"hidden", "readout"}


@pytest.mark.usefixtures("own_random_streams")
def test_a_module_without_these_parameters_is_built_as_it_is() -> None:
    network = ARCHITECTURES["mynet:Fixed"]().build(TASKS["digits"].stimulus_shape, 10)
    assert network[1].out_features == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mynet:Nett", "mynet has no class 'Nett'. Did you mean 'Net'? Known: Fixed, Net, Undes"),
        ("mynet:text", "text is not a class derived from torch.nn.Module"),
        ("mynet:Written", "Written is an architecture. Register it"),
        ("mynet:Undescribed", "its constructor needs 'size', of a type that a protocol cannot"),
        ("mynet.py:Net", "name the module, not its file: mynet:Net, with --plugin mynet.py."),
        ("nets/mynet.py:Net", "not its file: mynet:Net, with --plugin nets/mynet.py."),
        ("other:Net", "did not import a module 'other'. Add --plugin other.py"),
        ("torch.nn:Linear", "did not import a module 'torch.nn'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(UnknownName) as caught:
        ARCHITECTURES[name]
    assert str(caught.value).startswith(f"the architecture {name!r} cannot be used: ")
    assert words in str(caught.value)
