"""Networks, images and batches that cannot be had are refused before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.protocol.texts import small
from virtuallab.errors import ProtocolError, UserError
from virtuallab.fields import setting
from virtuallab.lab.planning import network_limits as networks
from virtuallab.lab.planning.validation import make_plan
from virtuallab.protocol import read
from virtuallab.registry import ARCHITECTURES, TASKS
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.network import dry_run as tracing
from virtuallab.subject.network.dry_run import dry_run

DIGITS = TASKS["digits"]()


def said(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    file = tmp_path / "p.yaml"
    file.write_text(small(*changes), encoding="utf-8")
    try:
        make_plan(read(file))
    except ProtocolError as error:
        return [f"{fault.path}: {fault.message}" for fault in error.faults]
    return []


NETS = "[knet4]"
LARGE = "at most 200,000,000 are possible. Make it smaller."


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([(NETS, "[resnet18]"), ("batch_size: 32", "batch_size: 1")], "subjects.batch_size: "
         "resnet18 normalises over the batch and needs two images at least on 8 x 8."),
        ([(NETS, "[mlp]"), ("batch_size: 32", "batch_size: 1"),
          ("[digits]", "[{name: contrastive, of: digits}]")], "subjects.batch_size: "
         "the head of task 'contrastive' normalises over the batch and needs two images at least "
         "on 8 x 8."),
        ([("batch_size: 32", "batch_size: [1, 32]")], "subjects.batch_size: "
         "knet4 normalises over the batch and needs two images at least on 8 x 8."),
        ([(NETS, "[mlp, {name: mlp, hidden: [1000000000]}]")],
         f"subjects.architectures[1]: one mlp has 75,000,000,010 weights; {LARGE}"),
        ([(NETS, "[{name: knet4, kernel: 1000000000}]")], "subjects.architectures[0]: a layer of "
         "knet4 has more weights than any machine can hold. Make it smaller."),
        ([(NETS, "[{name: convnet, depth: 1000000000}]")], "subjects.architectures[0]: one convnet "
         "has more than 500 layers with weights. Make it smaller."),
        ([("[digits]", "[{name: digits, train_images: 5000}]")], "subjects.tasks[0]: task 'digits' "
         "has 1797 images; 5000 + 300 + 64 were asked for (train_images, validation_images, "
         "probe_images)."),
        ([("[digits]", "[{name: digits, train_images: 1000000000000}]")],
         "subjects.tasks[0].train_images: should be at most 1,000,000,000, found 1000000000000."),
        ([("batch_size: 32", "batch_size: 5000")], "subjects.batch_size: a batch of 5000 cannot be "
         "filled: there are 1200 training images. Lower it."),
        ([("units: 20", "visits: {count: 1000000000}")], "probes.sparse.visits: in knet4: the last "
         "of these visits would be 999999999; the last that is preserved is 4. Lower count or "
         "every, or begin earlier."),
        ([("units: 20", "visits: {count: 1000000000000000000}")], "probes.sparse.visits.count: "
         "should be at most 1,000,000,000, found 1000000000000000000."),
        ([("amp: 0.02", f"amp: {list(range(1, 2001))}\n      null: {list(range(1, 2001))}"),
          (NETS, "[knet4, mlp]")], "subjects.replicates: these are 16,000,004 subjects "
         "(architectures 2 x rules with their values and replicates 8,000,002); at most 50,000 are "
         "possible. Give fewer values or replicates."),
    ],
)  # fmt: skip
def test_what_is_too_large_or_too_small_is_refused_at_once(
    tmp_path: Path, changes: list[tuple[str, str]], fault: str
) -> None:
    # Two replicates are too few for the analysis, which is told as well where all else is right.
    assert [each for each in said(tmp_path, *changes) if "analyses" not in each] == [fault]


def test_networks_without_number_are_not_built_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "MOST", 3)
    changes = (NETS, "[{name: convnet, depth: 1, channels: [1, 2, 3, 4]}]")
    assert said(tmp_path, changes) == [
        "subjects.architectures: these are 4 different networks; at most 3 are possible."
    ]


@pytest.mark.parametrize("net", ["mlp", "{name: knet4, normalisation: none}"])
def test_a_batch_of_one_is_enough_where_nothing_normalises_over_it(
    tmp_path: Path, net: str
) -> None:
    changes = ("batch_size: 32", "batch_size: 1"), (NETS, f"[{net}]")
    assert [fault for fault in said(tmp_path, *changes) if "batch" in fault] == []


@dataclass(frozen=True, kw_only=True)
class Outside(Architecture):
    """A network from outside, of whatever layers."""

    name = "outside"
    kind: str = setting("fits", doc="Which.")

    def build(self, stimulus_shape: Shape, classes: int) -> nn.Module:
        flat = nn.Flatten()
        match self.kind:
            case "pooled":
                return nn.Sequential(*[nn.MaxPool2d(2)] * 4, flat, nn.Linear(1, classes))
            case "kernel":
                return nn.Sequential(nn.Conv2d(1, 4, 9), flat, nn.Linear(4, classes))
            case "other":
                return nn.Sequential(flat, nn.Linear(100, classes))
            case "classes":
                return nn.Sequential(flat, nn.Linear(64, classes - 3))
            case "norm":
                norm = nn.BatchNorm1d(8)
                return nn.Sequential(flat, nn.Linear(64, 8), norm, nn.Linear(8, classes))
            case "built with values":
                width = int(torch.linspace(0, 8, 2)[1].item())  # the meta device has no values
                return nn.Sequential(flat, nn.Linear(64, width), nn.Linear(width, classes))
            case "values":
                return nn.Sequential(flat, _Decides(), nn.Linear(64, classes))
        return nn.Sequential(flat, nn.Linear(64, -1))


class _Decides(nn.Module):
    """Looks at the numbers that it is given."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if float(np.asarray(x.detach()).sum()) >= 0 else -x


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pooled", "outside cannot be shown images of 8 x 8: layer '"),
        ("kernel", "layer '0' receives 1 x 8 x 8 and fails: "),
        ("other", "layer '1' receives 64 and fails: "),
        (
            "classes",
            "outside gives 7 numbers for an image of 8 x 8; the task needs 10.",
        ),
        ("unbuilt", "outside cannot be built for images of 8 x 8: "),
    ],
)
@pytest.mark.parametrize("small", [tracing._SMALL, 0])
def test_a_network_from_outside_is_refused_in_words(
    kind: str, words: str, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_SMALL", small)
    with pytest.raises(UserError, match=r"^outside") as caught:
        dry_run(Outside(kind=kind), DIGITS, 10**6)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("small", [tracing._SMALL, 0])
def test_what_a_network_needs_is_found_with_and_without_numbers(
    small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_SMALL", small)
    dry_run.cache_clear()
    assert dry_run(Outside(kind="norm"), DIGITS, 10**6).fewest == 2
    assert dry_run(Outside(kind="values"), DIGITS, 10**6).fewest == 1
    assert dry_run(Outside(kind="built with values"), DIGITS, 10**6).weights == 65 * 8 + 9 * 10
    mlp = dry_run(ARCHITECTURES["mlp"](hidden=(5,)), DIGITS, 10**6)
    assert mlp.weights == 64 * 5 + 5 + 5 * 10 + 10
    assert mlp.activities == 64 + 5 + 5 + 10, "flattened, dense, rectified, dense"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(36, int), "has one class only, 0; expected two or more."),
        (np.arange(35) % 2, "has 36 images in 'stimuli' and 35 labels in 'labels'; expected one "),
        (None, "there is no "),
    ],
)
def test_a_bad_file_of_images_is_refused_with_its_name_at_the_task(
    labels: np.ndarray | None, message: str, tmp_path: Path
) -> None:
    if labels is not None:
        np.savez(tmp_path / "mine.npz", stimuli=np.ones((36, 8, 8)), labels=labels)
    [found] = said(tmp_path, ("[digits]", "[{name: images, path: mine.npz}]"))
    assert found.startswith("subjects.tasks[0]: task 'images': ")
    assert str(tmp_path / "mine.npz") in found
    assert message in found
