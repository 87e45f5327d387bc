"""From what a user types to objects, or to an error that helps."""

import pytest

from kubehop.model.errors import UsageError
from kubehop.trace.questions import (
    Origin,
    Target,
    address_for,
    external_origin,
    node_origin,
    parse_origin,
    parse_target,
)
from tests.clusters import cluster, node, pod, service

FOUND = cluster(
    pod("web-1", "10.42.0.2", "n0"),
    pod("db.main", "10.42.1.2,FD00:10:42:1::0002", "n1"),
    pod("host", "192.168.0.11", "n1", host=True),
    pod("lost", "", "n1"),
    pod("web", "10.42.0.3", "n0", metadata={"name": "web", "namespace": "main"}),
    service("web"),
    node(0),
    node(1, v6=True),
)

# FROM -> label, node, addresses
ORIGINS: list[tuple[str, str, str, tuple[str, ...]]] = [
    ("pod/web-1", "pod/default/web-1", "n0", ("10.42.0.2",)),
    ("pod/web-1.default", "pod/default/web-1", "n0", ("10.42.0.2",)),
    ("pod/default/web-1", "pod/default/web-1", "n0", ("10.42.0.2",)),
    ("pod/web.main", "pod/main/web", "n0", ("10.42.0.3",)),
    # a name with a dot is tried whole before its end is taken for a namespace
    ("pod/db.main", "pod/default/db.main", "n1", ("10.42.1.2", "fd00:10:42:1::2")),
    ("pod/db.main.default", "pod/default/db.main", "n1", ("10.42.1.2", "fd00:10:42:1::2")),
    ("pod/host", "pod/default/host", "n1", ("192.168.0.11",)),
    ("node/n1", "node/n1", "n1", ("192.168.0.11", "fd00:192::11")),
    ("external", "external/203.0.113.9", "", ("203.0.113.9", "2001:db8:113::9")),
    ("external/", "external/203.0.113.9", "", ("203.0.113.9", "2001:db8:113::9")),
    ("external/198.18.0.1", "external/198.18.0.1", "", ("198.18.0.1",)),
    ("external/2001:DB8::0001", "external/2001:db8::1", "", ("2001:db8::1",)),
]


@pytest.mark.parametrize(("text", "label", "at", "addresses"), ORIGINS)
def test_an_origin(text: str, label: str, at: str, addresses: tuple[str, ...]) -> None:
    found = parse_origin(FOUND, text, "default")
    assert (found.label, found.node, found.addresses) == (label, at, addresses)


# TO -> what is found, and the port as typed
TARGETS = [
    ("svc/web:80", "Service default/web", "80"),
    ("service/web:http", "Service default/web", "http"),
    ("svc/web", "Service default/web", ""),
    ("svc/web.default:80", "Service default/web", "80"),
    ("svc/default/web:80", "Service default/web", "80"),
    ("pod/web-1:8080", "Pod default/web-1", "8080"),
    ("pod/db.main:5432", "Pod default/db.main", "5432"),
    ("node/n0:22", "Node n0", "22"),
    ("10.43.0.1:80", "10.43.0.1", "80"),
    ("[fd00::0:1]:80", "fd00::1", "80"),
    ("127.0.0.1:30080", "127.0.0.1", "30080"),
]


@pytest.mark.parametrize(("text", "what", "port"), TARGETS)
def test_a_target(text: str, what: str, port: str) -> None:
    found = parse_target(FOUND, text, "default")
    thing = found.service or found.pod or found.node
    assert (thing.reference if thing else found.address) == what
    assert found.port == port
    assert found.label == text


# what is typed -> words of the answer
REFUSED = [
    ("pod/web-2", "10.43.0.1:80", ["no Pod default/web-2", "default/web-1"]),
    ("pod/nothing-like-it", "10.43.0.1:80", ["no Pod default/nothing-like-it"]),
    ("pod/lost", "10.43.0.1:80", ["Pod default/lost has no address yet"]),
    ("node/n7", "10.43.0.1:80", ["no Node n7", "n0"]),
    ("host/n7", "10.43.0.1:80", ["FROM 'host/n7'", "pod/NAME"]),
    ("pod/", "10.43.0.1:80", ["FROM 'pod/'"]),
    ("", "10.43.0.1:80", ["FROM ''"]),
    ("external/elsewhere", "10.43.0.1:80", ["external/elsewhere: not an IP address"]),
    ("external/fe80::1%eth0", "10.43.0.1:80", ["not an IP address"]),
    ("external", "svc/wbe:80", ["no Service default/wbe", "default/web"]),
    ("external", "svc/web.other:80", ["no Service", "default/web"]),
    ("external", "10.43.0.1", ["a port is needed, as in 10.43.0.1:80"]),
    ("external", "[fd00::1]", ["a port is needed, as in [fd00::1]:80"]),
    ("external", "pod/web-1", ["a port is needed, as in pod/web-1:80"]),
    ("external", "example.com:443", ["TO 'example.com:443'", "HOSTNAME:PORT"]),
    ("external", "10.43.0.1:http", ["'http' is not a port number"]),
    ("external", "10.43.0.1:0", ["'0' is not a port number"]),
    ("external", "10.43.0.1:65536", ["'65536' is not a port number"]),
    ("external", "pod/web-1:-1", ["'-1' is not a port number"]),
]


@pytest.mark.parametrize(("origin", "target", "words"), REFUSED)
def test_what_is_refused(origin: str, target: str, words: list[str]) -> None:
    from kubehop.trace.walk import trace

    with pytest.raises(UsageError) as caught:
        trace(FOUND, origin, target)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_empty_input_says_so() -> None:
    with pytest.raises(UsageError, match="no Pod default/web: the input has none"):
        parse_origin(cluster(), "pod/web", "default")


def test_a_name_in_another_namespace_is_suggested() -> None:
    with pytest.raises(UsageError, match="there is main/web"):
        parse_origin(FOUND, "pod/web", "other")


def test_a_node_without_address_is_no_origin() -> None:
    bare = type(node(0))(metadata=node(0).metadata)
    with pytest.raises(UsageError, match="Node n0 has no address"):
        node_origin(bare)


def test_addresses_are_chosen_by_family() -> None:
    assert address_for(("10.0.0.1", "fd00::1"), "fd00::2") == "fd00::1"
    assert address_for(("10.0.0.1",), "fd00::2") is None
    assert external_origin("").addresses[0] == "203.0.113.9"


def test_values_compare() -> None:
    assert Origin("a", "", ()) == Origin("a", "", ())
    assert Target("a", "80") != Target("a", "81")
