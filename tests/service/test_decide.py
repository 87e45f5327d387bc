"""The fate of a packet at a frontend, by origin (reference: kube-proxy, sections 1.5, 3 and 8)."""

import itertools
from typing import Any

import pytest

from kubehop.model.proxy import DetectLocal, ProxyMode
from kubehop.model.service import Service
from kubehop.service.decide import Action, Decision
from kubehop.service.frontends import FrontendKind
from kubehop.service.nodes import proxy_nodes
from kubehop.service.packets import decide_packet
from kubehop.service.spread import Client
from tests.clusters import OUTSIDE, balanced, behind, cluster, endpoint, service

NFT, IPT, IPVS = ProxyMode.NFTABLES, ProxyMode.IPTABLES, ProxyMode.IPVS
HERE, THERE = "10.42.0.2", "10.42.1.2"
SOURCE = {Client.POD: "10.42.0.77", Client.NODE: "192.168.0.10", Client.EXTERNAL: OUTSIDE}
AT = {
    FrontendKind.CLUSTER_IP: ("10.43.0.1", 80),
    FrontendKind.EXTERNAL_IP: ("198.51.100.9", 80),
    FrontendKind.LOAD_BALANCER: ("198.51.100.1", 80),
    FrontendKind.NODE_PORT: ("192.168.0.10", 30080),
}
INTERNAL = (FrontendKind.CLUSTER_IP,)
EXTERNAL = tuple(kind for kind in FrontendKind if kind.external)


def policy(internal: str = "", external: str = "", **more: Any) -> Service:
    return balanced(
        externalIPs=["198.51.100.9"],
        internalTrafficPolicy=internal or None,
        externalTrafficPolicy=external or None,
        **more,
    )


def ask(
    subject: Service,
    addresses: tuple[str, ...],
    source: str,
    kind: FrontendKind,
    mode: ProxyMode = NFT,
    **proxy: Any,
) -> Decision:
    """What n0 does; an endpoint in 10.42.N.0/24 is on node N."""
    entries = [endpoint(address, f"n{address.split('.')[2]}") for address in addresses]
    found = cluster(subject, *behind(subject, *entries), mode=mode, **proxy)
    node = found.derived(proxy_nodes)["n0"]
    address, port = AT[kind]
    return decide_packet(found, node, source, address, "TCP", port)[1]


def shown(decision: Decision) -> str:
    """`dnat here there, masqueraded`, or what else becomes of it."""
    if decision.action is not Action.DNAT:
        return str(decision.action)
    names = {HERE: "here", THERE: "there"}
    chosen = " ".join(names[e.address] for e in decision.endpoints)
    return f"dnat {chosen}" + (", masqueraded" if decision.masquerade else "")


POD, NODE, OUT = Client.POD, Client.NODE, Client.EXTERNAL

# (kinds, iTP, eTP, client) -> with endpoints on both nodes; with one on the other node only
FATES: list[tuple[tuple[FrontendKind, ...], str, str, Client, str, str]] = [
    # the rule: "set = Local set if iTPLocal, else Cluster set"; "pods are not SNATed"
    (INTERNAL, "", "", POD, "dnat here there", "dnat there"),
    (INTERNAL, "", "", NODE, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (INTERNAL, "", "", OUT, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (INTERNAL, "Local", "", POD, "dnat here", "drop"),
    (INTERNAL, "Local", "", NODE, "dnat here, masqueraded", "drop"),
    (INTERNAL, "Local", "", OUT, "dnat here, masqueraded", "drop"),
    # the rule: "externalTrafficPolicy never does"
    (INTERNAL, "", "Local", POD, "dnat here there", "dnat there"),
    (INTERNAL, "", "Local", NODE, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (INTERNAL, "", "Local", OUT, "dnat here there, masqueraded", "dnat there, masqueraded"),
    # the rule: "Cluster | anyone, pods included | Cluster | yes, always"
    (EXTERNAL, "", "", POD, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (EXTERNAL, "", "", NODE, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (EXTERNAL, "", "", OUT, "dnat here there, masqueraded", "dnat there, masqueraded"),
    # the rule: "internalTrafficPolicy never does"
    (EXTERNAL, "Local", "", POD, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (EXTERNAL, "Local", "", NODE, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (EXTERNAL, "Local", "", OUT, "dnat here there, masqueraded", "dnat there, masqueraded"),
    # the rule: "Local | isPod and detector | Cluster (short-circuit) | no"
    (EXTERNAL, "", "Local", POD, "dnat here there", "dnat there"),
    # the rule: "Local | isNode | Cluster (short-circuit) | yes"
    (EXTERNAL, "", "Local", NODE, "dnat here there, masqueraded", "dnat there, masqueraded"),
    # the rule: "Local | external | Local; empty -> DROP | no, client IP kept"
    (EXTERNAL, "", "Local", OUT, "dnat here", "drop"),
]


@pytest.mark.parametrize("mode", [NFT, IPT])
@pytest.mark.parametrize(("kinds", "internal", "external", "client", "both", "other"), FATES)
def test_fate_by_origin_and_frontend(
    kinds: tuple[FrontendKind, ...],
    internal: str,
    external: str,
    client: Client,
    both: str,
    other: str,
    mode: ProxyMode,
) -> None:
    subject = policy(internal, external)
    for kind in kinds:
        assert shown(ask(subject, (HERE, THERE), SOURCE[client], kind, mode)) == both
        assert shown(ask(subject, (THERE,), SOURCE[client], kind, mode)) == other


def test_every_frontend_policy_and_client_is_in_the_table() -> None:
    """The policy that governs: internal for the cluster IP, external for the other kinds."""
    seen = {
        (kind, external if kind.external else internal, client)
        for kinds, internal, external, client, *_ in FATES
        for kind in kinds
    }
    assert seen == set(itertools.product(FrontendKind, ("", "Local"), Client))


# The rows of ipvs that differ: one virtual server per address, whoever asks.
IPVS_FATES = [
    (EXTERNAL, "", "Local", POD, "dnat here", "dnat there"),
    (EXTERNAL, "", "Local", NODE, "dnat here", "dnat there"),
    (EXTERNAL, "", "Local", OUT, "dnat here", "dnat there"),
    (INTERNAL, "Local", "", POD, "dnat here", "dnat there"),
    (EXTERNAL, "", "", OUT, "dnat here there, masqueraded", "dnat there, masqueraded"),
    (INTERNAL, "", "", POD, "dnat here there", "dnat there"),
]


@pytest.mark.parametrize(("kinds", "internal", "external", "client", "both", "other"), IPVS_FATES)
def test_ipvs(
    kinds: tuple[FrontendKind, ...],
    internal: str,
    external: str,
    client: Client,
    both: str,
    other: str,
) -> None:
    subject = policy(internal, external)
    for kind in kinds:
        assert shown(ask(subject, (HERE, THERE), SOURCE[client], kind, IPVS)) == both
        assert shown(ask(subject, (THERE,), SOURCE[client], kind, IPVS)) == other


def test_ipvs_without_real_server_rejects() -> None:
    inside = service(internalTrafficPolicy="Local")
    assert shown(ask(inside, (THERE,), SOURCE[POD], FrontendKind.CLUSTER_IP, IPVS)) == "reject"


@pytest.mark.parametrize("mode", ProxyMode)
@pytest.mark.parametrize("kind", FrontendKind)
@pytest.mark.parametrize("client", Client)
def test_nothing_usable_anywhere_is_rejected(
    mode: ProxyMode, kind: FrontendKind, client: Client
) -> None:
    for local in ("", "Local"):
        assert shown(ask(policy(local, local), (), SOURCE[client], kind, mode)) == "reject"


# The rule: who is SNATed at a cluster IP, by detector and masqueradeAll.
MASQUERADED: list[tuple[DetectLocal, bool, set[Client]]] = [
    (DetectLocal.CLUSTER_CIDR, False, {NODE, OUT}),
    (DetectLocal.NODE_CIDR, False, {NODE, OUT}),
    (DetectLocal.BRIDGE_INTERFACE, False, {NODE, OUT}),
    (DetectLocal.INTERFACE_NAME_PREFIX, False, {NODE, OUT}),
    (DetectLocal.NONE, False, set()),
    (DetectLocal.CLUSTER_CIDR, True, set(Client)),
    (DetectLocal.NONE, True, set(Client)),
]


@pytest.mark.parametrize(("detect", "everybody", "masqueraded"), MASQUERADED)
def test_who_is_masqueraded_at_a_cluster_ip(
    detect: DetectLocal, everybody: bool, masqueraded: set[Client]
) -> None:
    found = {
        client
        for client, source in SOURCE.items()
        if ask(
            service(),
            (THERE,),
            source,
            FrontendKind.CLUSTER_IP,
            detect_local=detect,
            masquerade_all=everybody,
        ).masquerade
    }
    assert found == masqueraded


def test_every_way_to_detect_is_tested() -> None:
    assert {detect for detect, *_ in MASQUERADED} == set(DetectLocal)


def test_without_detector_pods_are_outsiders_under_local() -> None:
    subject = policy("", "Local")
    for kind in EXTERNAL:
        asked = ask(subject, (THERE,), SOURCE[POD], kind, detect_local=DetectLocal.NONE)
        assert shown(asked) == "drop"


def test_hairpin_is_a_property_of_the_choice() -> None:
    decision = ask(service(), (HERE, THERE), HERE, FrontendKind.CLUSTER_IP)
    assert not decision.masquerade
    assert [decision.marks(e, HERE) for e in decision.endpoints] == [True, False]


# (ranges, source) -> admitted to the load balancer's address?
RANGES: list[tuple[list[str], str, bool]] = [
    (["203.0.113.0/25"], OUTSIDE, True),
    ([" 203.0.113.0/25 "], OUTSIDE, True),
    (["203.0.113.128/25"], OUTSIDE, False),
    # the rule: "Pods must be listed explicitly"; nodes as well
    (["203.0.113.0/25"], SOURCE[POD], False),
    (["203.0.113.0/25"], SOURCE[NODE], False),
    (["10.42.0.0/16"], SOURCE[POD], True),
    # the rule: "all ranges are of the other family: no restriction"
    (["2001:db8::/32"], OUTSIDE, True),
    (["2001:db8::/32", "192.0.2.0/24"], OUTSIDE, False),
    # the rule: "node's own IP is in a range: source == LB VIP is admitted too"
    (["192.168.0.0/24"], "198.51.100.1", True),
    (["192.168.1.0/24"], "198.51.100.1", False),
    ([], OUTSIDE, True),
]


@pytest.mark.parametrize("mode", ProxyMode)
@pytest.mark.parametrize(("ranges", "source", "admitted"), RANGES)
def test_source_ranges(ranges: list[str], source: str, admitted: bool, mode: ProxyMode) -> None:
    subject = policy(loadBalancerSourceRanges=ranges)
    balancer = ask(subject, (THERE,), source, FrontendKind.LOAD_BALANCER, mode)
    assert balancer.action is (Action.DNAT if admitted else Action.DROP)
    for kind in set(FrontendKind) - {FrontendKind.LOAD_BALANCER}:
        assert ask(subject, (THERE,), source, kind, mode).action is Action.DNAT


def test_a_blocked_source_of_an_empty_service() -> None:
    subject = policy(loadBalancerSourceRanges=["192.0.2.0/24"])
    asked = {
        mode: ask(subject, (), OUTSIDE, FrontendKind.LOAD_BALANCER, mode) for mode in ProxyMode
    }
    assert {mode: str(found.action) for mode, found in asked.items()} == {
        NFT: "drop",
        IPT: "reject",
        IPVS: "drop",
    }


# (destination, port, protocol) -> the fate without frontend, in nftables, iptables, ipvs
UNMATCHED = [
    ("10.43.0.1", 81, "TCP", "reject", "none", "reject"),
    ("10.43.0.1", 80, "UDP", "reject", "none", "reject"),
    ("10.43.9.9", 80, "TCP", "drop", "none", "none"),
    ("fd00:10:43::9", 80, "TCP", "drop", "none", "none"),
    ("198.51.100.9", 81, "TCP", "none", "none", "reject"),
    ("198.51.100.1", 81, "TCP", "none", "none", "reject"),
    ("198.51.100.77", 80, "TCP", "none", "none", "none"),
    ("192.168.0.10", 22, "TCP", "none", "none", "none"),
    ("192.168.0.11", 30080, "TCP", "none", "none", "none"),
    (THERE, 8080, "TCP", "none", "none", "none"),
]


@pytest.mark.parametrize(("address", "port", "protocol", "nft", "ipt", "ipvs"), UNMATCHED)
def test_no_frontend(address: str, port: int, protocol: str, nft: str, ipt: str, ipvs: str) -> None:
    subject = policy()
    got = []
    for mode in (NFT, IPT, IPVS):
        found = cluster(subject, *behind(subject, endpoint(THERE, "n1")), mode=mode)
        node = found.derived(proxy_nodes)["n0"]
        source = "fd00:10:42::7" if ":" in address else SOURCE[POD]
        got.append(str(decide_packet(found, node, source, address, protocol, port)[1].action))
    assert got == [nft, ipt, ipvs]


def test_an_exact_address_is_found_before_a_node_port() -> None:
    """An external IP that is the node's own, on the port number of another's node port."""
    first = service("a", type="NodePort")
    second = service(
        "b", clusterIP="10.43.0.2", externalIPs=["192.168.0.10"], ports=[{"port": 30080}]
    )
    found = cluster(first, second)
    node = found.derived(proxy_nodes)["n0"]
    frontend, _ = decide_packet(found, node, OUTSIDE, "192.168.0.10", "TCP", 30080)
    assert frontend is not None
    assert frontend.service.name == "b"


AUTO = "service.kubernetes.io/topology-mode"
OLDER = "service.kubernetes.io/topology-aware-hints"

# annotations -> does a kube-proxy that wants an annotation obey hints?
HINTED: list[tuple[dict[str, str] | None, bool]] = [
    (None, False),
    ({AUTO: "Auto"}, True),
    ({AUTO: "auto"}, True),
    ({AUTO: "AUTO"}, False),
    ({OLDER: "auto"}, True),
    ({OLDER: "Disabled", AUTO: "Auto"}, False),
    ({OLDER: "", AUTO: "Auto"}, False),
]


@pytest.mark.parametrize(("annotations", "obeyed"), HINTED)
def test_an_old_kube_proxy_wants_an_annotation(
    annotations: dict[str, str] | None, obeyed: bool
) -> None:
    subject = service(annotations=annotations)
    entries = (endpoint(HERE, "n0", nodes=["n0"]), endpoint(THERE, "n1", nodes=["n1"]))
    for old in (True, False):
        found = cluster(subject, *behind(subject, *entries), hints_need_annotation=old)
        node = found.derived(proxy_nodes)["n0"]
        decision = decide_packet(found, node, SOURCE[POD], "10.43.0.1", "TCP", 80)[1]
        assert len(decision.endpoints) == (1 if obeyed or not old else 2)
