"""Session fixtures: hosts with a real runtime and pods, for every test that looks at pods."""

from collections.abc import Iterator

import pytest

from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.containerd import containerd as running_containerd
from tests.real.runtimes.docker import Docker
from tests.real.runtimes.docker import docker as running_docker
from tests.real.runtimes.nested import Nested
from tests.real.runtimes.nested import nested as running_nested
from tests.real.runtimes.newer import newer as running_newer
from tests.real.runtimes.programs import Programs
from tests.real.runtimes.userns import userns as running_userns
from tests.real.runtimes.wanted import wanted_of_docker, wanted_pods


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """Containerd with the pods of `wanted_pods`."""
    folder, programs = tmp_path_factory.mktemp("containerd"), Programs.wanted()
    with running_containerd(folder, wanted_pods, programs) as made:
        yield made


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Docker with the pods of `wanted_of_docker` and a container that is no pod's."""
    with running_docker(tmp_path_factory.mktemp("docker"), wanted_of_docker()) as made:
        yield made


@pytest.fixture(scope="session")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nested]:
    """A host that is a container of another host's docker, with pods."""
    with running_nested(tmp_path_factory.mktemp("nested")) as made:
        yield made


@pytest.fixture(scope="session")
def userns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """Containerd with pods that have user namespaces of their own."""
    with running_userns(tmp_path_factory.mktemp("userns")) as made:
        yield made


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    """containerd 2 with some of those pods, and one that has a user namespace of its own."""
    with running_newer(tmp_path_factory.mktemp("newer")) as made:
        yield made
