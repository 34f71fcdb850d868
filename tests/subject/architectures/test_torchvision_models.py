from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from typing import ClassVar, get_type_hints

import pytest
import torch
from torch import nn

from tests.subject.architectures.test_full_size import Noise
from virtuallab.errors import UnknownName, UserError
from virtuallab.fields import plugin_data
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.architectures._torchvision_models import _constructors
from virtuallab.subject.network.grouping import population_problem
from virtuallab.subject.network.initialization import initialized_network


@dataclass(frozen=True, kw_only=True)
class Middle(Noise):
    """Random colour images of 64 x 64."""

    name: ClassVar[str] = "middle"
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 64, 64)


DIGITS = TASKS["digits"]()


@pytest.mark.usefixtures("own_random_streams")
def test_a_model_is_that_of_torchvision_with_the_outputs_of_the_task() -> None:
    ours = ARCHITECTURES["torchvision.mobilenet_v2"]().build((3, 32, 32), 7)
    theirs = torchvision().models.mobilenet_v2(weights=None, num_classes=7)
    shapes = {name: tensor.shape for name, tensor in theirs.state_dict().items()}
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == shapes


@pytest.mark.parametrize("model", ["resnet18", "mobilenet_v2", "vgg11", "densenet121"])
def test_the_first_convolution_takes_the_channels_of_the_stimuli(model: str) -> None:
    architecture = ARCHITECTURES[f"torchvision.{model}"]()
    with torch.device("meta"):
        one, three = (architecture.build((channels, 64, 64), 10) for channels in (1, 3))
    first, same = (
        next(m for m in network.modules() if isinstance(m, nn.Conv2d)) for network in (one, three)
    )
    assert (first.in_channels, same.in_channels) == (1, 3)
    for what in ("out_channels", "kernel_size", "stride", "padding", "dilation"):
        assert getattr(first, what) == getattr(same, what)
    assert (first.bias is None) == (same.bias is None)


@pytest.mark.usefixtures("own_random_streams")
def test_settings_are_the_numbers_that_the_constructor_takes() -> None:
    plugin = ARCHITECTURES["torchvision.mobilenet_v2"]
    assert {f.name for f in fields(plugin)} == {"width_mult", "round_nearest", "dropout"}
    assert {f.default for f in fields(plugin)} == {None}
    narrow = plugin(width_mult=0.1).build((3, 32, 32), 10)
    full = torchvision().models.mobilenet_v2
    with torch.device("meta"):
        wide = full(weights=None)
    assert sum(p.numel() for p in narrow.parameters()) < 0.2 * sum(
        p.numel() for p in wide.parameters()
    )
    assert plugin_data(plugin()) == {"name": "torchvision.mobilenet_v2"}


def test_names_and_settings_in_the_source_are_those_of_the_imported_models() -> None:
    models = torchvision().models
    found = _constructors()
    assert sorted(found) == models.list_models(module=models)
    for model, (module, constructor) in found.items():
        made = get_type_hints(models.get_model_builder(model))["return"]
        assert (made.__module__, made.__name__) == (module, constructor.name)
        hints = get_type_hints(made.__init__)
        settings = {f.name: f.type for f in fields(ARCHITECTURES[f"torchvision.{model}"])}
        for name, each in inspect.signature(made).parameters.items():
            fixed = name in (
                "num_classes",
                "image_size",
                "input_size",
                "aux_logits",
                "init_weights",
            )
            kind = hints.get(name, type(each.default))
            assert settings.pop(name, None) == (
                kind | None if kind in (int, float, bool, str) and not fixed else None
            )
        assert not settings


def test_a_model_is_found_without_torch() -> None:
    script = (
        "import sys\n"
        "from virtuallab import lazy\n"
        "lazy.defer('torch')\n"
        "from virtuallab.registry import ARCHITECTURES\n"
        "ARCHITECTURES['torchvision.resnet18'](width_per_group=32)\n"
        "print([name for name in ('torch._C', 'torchvision') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_model_is_one_class_with_the_family_of_its_name_and_can_be_pickled() -> None:
    plugin = ARCHITECTURES["torchvision.resnet50"]
    assert plugin is ARCHITECTURES["torchvision.resnet50"]
    assert (plugin.name, plugin.family) == ("torchvision.resnet50", "resnet")
    made = plugin(width_per_group=32)
    assert pickle.loads(pickle.dumps(made)) == made != plugin()
    assert hash(replace(made)) == hash(made)


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        ("resnet43", ": torchvision.resnet50, torchvision.resnet34, torchvision.resnet18. All are"),
        ("resnet19", ": torchvision.resnet18, torchvision.resnet34, torchvision.resnet50. All are"),
        ("ResNet18", ": torchvision.resnet18, "),
        ("convnext_smal", ": torchvision.convnext_small, "),
        ("fasterrcnn_resnet50_fpn", ": torchvision.resnet50. All are"),
        ("reznet18", "torchvision.resnet18"),
        ("nonsense", "no classification model of this name. All are listed by"),
    ],
)
def test_a_name_that_torchvision_does_not_have_is_refused_with_the_nearest(
    model: str, nearest: str
) -> None:
    with pytest.raises(UnknownName, match="no classification model") as caught:
        ARCHITECTURES[f"torchvision.{model}"]
    assert nearest in str(caught.value)


@pytest.mark.parametrize("model", ["googlenet", "inception_v3"])
def test_models_with_auxiliary_outputs_are_built_without_them(model: str) -> None:
    with torch.device("meta"):
        network = ARCHITECTURES[f"torchvision.{model}"]().build((3, 96, 96), 10)
        assert network.train()(torch.empty(2, 3, 96, 96)).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        ("resnet18", {}, ""),
        ("mobilenet_v2", {}, ""),
        ("regnet_y_400mf", {}, ""),
        ("efficientnet_b0", {"stochastic_depth_prob": 0.0}, ""),
        ("shufflenet_v2_x0_5", {}, r"'stage2\.1' .* mixes channels .* write 'cohort: 1'"),
        ("densenet121", {}, r"before layer 'features\.denseblock1\.denselayer2\.norm1'"),
        ("vit_b_16", {}, r"keeps parameters of its own.* write 'cohort: 1'"),
    ],
)
def test_a_model_can_be_a_population_or_runs_one_by_one(
    model: str, settings: dict[str, float], words: str
) -> None:
    architecture = ARCHITECTURES[f"torchvision.{model}"](**settings)
    task = Middle(train_images=4, validation_images=2, probe_images=2)
    problem = population_problem(architecture, task)
    assert re.search(words, problem) if words and problem else problem is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("efficientnet_b0", "draws from torch's global random stream"),
        ("swin_t", r"defines layer 'features\.1\.0\.attn\.qkv' but does not call it"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused_with_the_reason(model: str, words: str) -> None:
    task = Middle(train_images=4, validation_images=2, probe_images=2)
    with pytest.raises(UserError, match=words):
        population_problem(ARCHITECTURES[f"torchvision.{model}"](), task)


def test_initial_weights_depend_on_the_seed_alone() -> None:
    architecture = ARCHITECTURES["torchvision.mobilenet_v2"](width_mult=0.1)
    first, again, other = (initialized_network(architecture, DIGITS, seed) for seed in (3, 3, 4))
    weights = [torch.cat([p.flatten() for p in m.parameters()]) for m in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
