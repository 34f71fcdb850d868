from __future__ import annotations

import threading

import pytest

from virtuallab.subject.architectures._torchvision import torchvision


@pytest.mark.usefixtures("own_random_streams")
def test_torchvisions_networks_can_be_built() -> None:
    assert torchvision().models.resnet18(weights=None, num_classes=7).fc.out_features == 7


def test_threads_that_ask_at_once_get_the_same_module() -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(torchvision())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [torchvision()] * 4
