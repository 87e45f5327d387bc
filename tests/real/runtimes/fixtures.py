"""Session fixtures: hosts with a real runtime and pods, for every test that looks at pods."""

from collections.abc import Iterator

import pytest

from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.containerd import containerd as running_containerd
from tests.real.runtimes.wanted import wanted_pods


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """Containerd with the pods of `wanted_pods`."""
    with running_containerd(tmp_path_factory.mktemp("containerd"), wanted_pods) as made:
        yield made
