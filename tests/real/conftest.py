from collections.abc import Iterator

import pytest

from tests.real import network as networks
from tests.real.coredns_build import coredns
from tests.real.network import Network


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network of the real CoreDNS, which is built first."""
    coredns()
    with networks.network(tmp_path_factory.mktemp("network")) as found:
        yield found
