"""Session fixtures: hosts with a real runtime and pods, for every test that looks at pods."""

from collections.abc import Iterator

import pytest

from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.containerd import containerd as running_containerd
from tests.real.runtimes.kubelet import App, Wanted

SERVE = ("/listen", "tcp", "0.0.0.0", "8080", "tcp", "::", "9090", "udp", "0.0.0.0", "5353")


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """Containerd with the pods of `wanted_pods`."""
    folder = tmp_path_factory.mktemp("containerd")
    with running_containerd(folder, {"web": Wanted("web", "shop", (App("app", SERVE),))}) as made:
        yield made
