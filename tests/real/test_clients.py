"""Real clients in a pod's namespace ask our server: queries and outcomes are those predicted."""

import time
from collections.abc import Iterator

import pytest

from kubehop.dns.chain import Serving
from kubehop.dns.lookup.protocol import Query
from kubehop.dns.message import Reply
from tests.real.asking import Ask
from tests.real.clients import CLIENTS
from tests.real.corefiles import KUBEADM
from tests.real.generated import fixture
from tests.real.internet import internet
from tests.real.lookups import Pod, fitted
from tests.real.nameserver import nameserver
from tests.real.namespace import namespace
from tests.real.network import UPSTREAM
from tests.real.ours import answered, serving
from tests.real.pods import DNS_ADDRESS, HURRIED, POD_ADDRESS, PODS, files, pod
from tests.real.serve import served

NAMES = (
    "whoami",
    "whoami.default",
    "whoami.default.svc",
    "whoami.default.svc.cluster.local",
    "whoami.default.svc.cluster.local.",
    "kubernetes.default",
    "example.com",
    "example.com.",
    "v4only.example.net",
    "www.example.org",
    "nosuch",
    "nosuch.default",
    "a.b.c.d.e.example.com",
    "demo",
    "dual",
    "six",
    "ext",
    "headless.demo",
    "big.demo",
    "legacy",
    "mypod",
    "web-0",
    "localhost",
    "10.42.1.5",
)
FAILING = ("servfail.example.net.", "refused.example.net.", "servfail.example.net")
COREFILE = KUBEADM.replace("{upstream}", "{}:{}".format(*UPSTREAM)).replace(
    "endpoint {api}", "endpoint http://127.0.0.1:1"
)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    """A pod whose cluster DNS is our server, with an upstream that answers."""
    folder, own = tmp_path_factory.mktemp("pod"), (DNS_ADDRESS,)
    chain = serving(fixture(), COREFILE, own)
    with (
        namespace(folder, [DNS_ADDRESS], source=POD_ADDRESS) as inside,
        nameserver(UPSTREAM, internet, inside),
        served(fixture(), COREFILE, inside, folder, (DNS_ADDRESS, 53), own) as server,
    ):
        yield Pod(inside, folder, lambda query: _answer(chain, query), server.taken)


def _answer(chain: Serving, query: Query) -> Reply:
    ask = Ask(query.question.name, query.question.type, query.transport, query.payload)
    return fitted(query, answered(chain, ask, time.monotonic()))


def _differences(
    asking: Pod, client: str, spec: dict[str, object], names: tuple[str, ...]
) -> object:
    etc = files(pod(**spec))
    differ = {name: asking.difference(CLIENTS[client], name, etc) for name in names}
    return {name: found for name, found in differ.items() if found}


@pytest.mark.parametrize("client", CLIENTS)
def test_lookups_are_as_predicted(asking: Pod, client: str) -> None:
    assert _differences(asking, client, {}, NAMES) == {}


@pytest.mark.parametrize("spec", PODS)
@pytest.mark.parametrize("client", CLIENTS)
def test_lookups_with_other_files_are_as_predicted(asking: Pod, client: str, spec: str) -> None:
    assert _differences(asking, client, PODS[spec], NAMES[::3]) == {}


@pytest.mark.parametrize("client", CLIENTS)
def test_lookups_that_fail_are_as_predicted(asking: Pod, client: str) -> None:
    assert _differences(asking, client, HURRIED, FAILING) == {}
