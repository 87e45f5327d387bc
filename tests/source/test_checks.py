"""What types cannot say: every check with the inputs that it refuses and those it must not."""

import json
from typing import Any

import pytest

from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS
from kubehop.source import names
from kubehop.source.checks import CHECKS
from kubehop.source.read import read


def problem(kind: str, **fields: Any) -> str:
    """What is wrong with an object, "" if nothing."""
    version = KINDS[kind].api_versions[0]
    found = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **fields}
    try:
        read([("f", json.dumps(found).encode())])
    except InputError as error:
        return f"{error.field}: {error.problem}"
    return ""


def service(**spec: Any) -> tuple[str, dict[str, Any]]:
    return "Service", {"spec": spec}


def ports(*entries: Any) -> tuple[str, dict[str, Any]]:
    return service(ports=list(entries))


def pod_spec(**spec: Any) -> tuple[str, dict[str, Any]]:
    return "Pod", {"spec": spec}


def dns_config(**config: Any) -> tuple[str, dict[str, Any]]:
    return pod_spec(dnsConfig=config)


def alias(ip: str, *hostnames: str) -> tuple[str, dict[str, Any]]:
    return pod_spec(hostAliases=[{"ip": ip, "hostnames": list(hostnames)}])


def pod(**status: Any) -> tuple[str, dict[str, Any]]:
    return "Pod", {"status": status}


def node(**fields: Any) -> tuple[str, dict[str, Any]]:
    return "Node", fields


def addresses(type_: str, address: str) -> tuple[str, dict[str, Any]]:
    return node(status={"addresses": [{"type": type_, "address": address}]})


def endpoint_slice(type_: str, *found: str) -> tuple[str, dict[str, Any]]:
    return "EndpointSlice", {"addressType": type_, "endpoints": [{"addresses": list(found)}]}


def ingress(ip: str) -> tuple[str, dict[str, Any]]:
    return "Service", {"status": {"loadBalancer": {"ingress": [{"ip": ip}]}}}


def policy(direction: str, rule: Any) -> tuple[str, dict[str, Any]]:
    return "NetworkPolicy", {"spec": {direction: [rule]}}


def endpoints(which: str, ip: str) -> tuple[str, dict[str, Any]]:
    return "Endpoints", {"subsets": [{which: [{"ip": ip}]}]}


V4, V6 = "10.0.0.1", "fd00::1"

REFUSED: list[tuple[tuple[str, dict[str, Any]], str]] = [
    (service(clusterIP="x"), 'spec.clusterIP: "x" is not an IP address'),
    (service(clusterIP="fe80::1%eth0"), 'spec.clusterIP: "fe80::1%eth0" is not an IP address'),
    (service(clusterIPs=["x"]), 'spec.clusterIPs[0]: "x" is not an IP address'),
    (
        service(clusterIP=V4, clusterIPs=["10.0.0.2"]),
        'spec.clusterIPs[0]: "10.0.0.2" is not spec.clusterIP "10.0.0.1"',
    ),
    (
        service(clusterIP="None", clusterIPs=[V4]),
        'spec.clusterIPs[0]: "10.0.0.1" is not spec.clusterIP "None"',
    ),
    (service(clusterIPs=[V4, "10.0.0.2"]), "spec.clusterIPs: two addresses of one family"),
    (
        service(clusterIPs=[V4], ipFamilies=["IPv6"]),
        'spec.clusterIPs[0]: "10.0.0.1" is not IPv6 as in ipFamilies',
    ),
    (service(externalIPs=[V4, "x"]), 'spec.externalIPs[1]: "x" is not an IP address'),
    (
        service(loadBalancerSourceRanges=["10.0.0.0/33"]),
        'spec.loadBalancerSourceRanges[0]: "10.0.0.0/33" is not a CIDR',
    ),
    (ingress("x"), 'status.loadBalancer.ingress[0].ip: "x" is not an IP address'),
    (
        ports({"port": 1}, {"port": 2}),
        "spec.ports[0].name: required where a Service has more than one port",
    ),
    (
        ports({"port": 1, "name": "a"}, {"port": 2, "name": "a"}),
        'spec.ports[1].name: "a" is there twice',
    ),
    (
        ports({"port": 1, "name": "a"}, {"port": 1, "name": "b"}),
        "spec.ports[1].port: 1/TCP is there twice",
    ),
    (ports({"port": 1, "name": "A"}), 'spec.ports[0].name: "A" is not a valid name of a port'),
    (
        ports({"port": 1, "targetPort": 65536}),
        "spec.ports[0].targetPort: expected int between 1 and 65535, got 65536",
    ),
    (
        ports({"port": 1, "targetPort": "8080"}),
        'spec.ports[0].targetPort: "8080" is neither a number nor a valid name of a port',
    ),
    (pod(podIP="x"), 'status.podIP: "x" is not an IP address'),
    (pod(podIPs=[{"ip": V4}, {"ip": "x"}]), 'status.podIPs[1].ip: "x" is not an IP address'),
    (pod(hostIP="x"), 'status.hostIP: "x" is not an IP address'),
    (("Pod", {"spec": {"nodeName": "a b"}}), 'spec.nodeName: "a b" is not a valid name'),
    (node(spec={"podCIDR": "10.0.0.0"}), 'spec.podCIDR: "10.0.0.0" is not a CIDR'),
    (node(spec={"podCIDRs": ["x/8"]}), 'spec.podCIDRs[0]: "x/8" is not a CIDR'),
    (
        node(spec={"podCIDR": "10.0.0.0/255.0.0.0"}),
        'spec.podCIDR: "10.0.0.0/255.0.0.0" is not a CIDR',
    ),
    (addresses("InternalIP", "x"), 'status.addresses[0].address: "x" is not an IP address'),
    (addresses("ExternalIP", "x"), 'status.addresses[0].address: "x" is not an IP address'),
    (endpoint_slice("IPv4", V4, "x"), 'endpoints[0].addresses[1]: "x" is not an IP address'),
    (endpoints("addresses", "x"), 'subsets[0].addresses[0].ip: "x" is not an IP address'),
    (
        endpoints("notReadyAddresses", "x"),
        'subsets[0].notReadyAddresses[0].ip: "x" is not an IP address',
    ),
    (
        policy("ingress", {"from": [{"ipBlock": {"cidr": "x"}}]}),
        'spec.ingress[0].from[0].ipBlock.cidr: "x" is not a CIDR',
    ),
    (
        policy("egress", {"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["x"]}}]}),
        'spec.egress[0].to[0].ipBlock.except[0]: "x" is not a CIDR',
    ),
    (
        policy("ingress", {"ports": [{"port": "a b"}]}),
        'spec.ingress[0].ports[0].port: "a b" is neither a number nor a valid name of a port',
    ),
    (
        policy("egress", {"ports": [{"port": 65536}]}),
        "spec.egress[0].ports[0].port: expected int between 1 and 65535, got 65536",
    ),
    (service(type="ExternalName"), 'spec.externalName: "" is not a valid name'),
    (
        service(type="ExternalName", externalName="a b.example"),
        'spec.externalName: "a b.example" is not a valid name',
    ),
    (
        (
            "EndpointSlice",
            {"addressType": "IPv4", "endpoints": [{"addresses": [V4], "hostname": "a.b"}]},
        ),
        'endpoints[0].hostname: "a.b" is not a valid name',
    ),
    (pod_spec(hostname="a.b"), 'spec.hostname: "a.b" is not a valid name'),
    (pod_spec(subdomain="A"), 'spec.subdomain: "A" is not a valid name'),
    (dns_config(nameservers=["x"]), 'spec.dnsConfig.nameservers[0]: "x" is not an IP address'),
    (dns_config(nameservers=[V4, V6, V4, V6]), "spec.dnsConfig.nameservers: 4 of them, 3 allowed"),
    (pod_spec(dnsPolicy="None"), "spec.dnsConfig.nameservers: required with dnsPolicy None"),
    (
        dns_config(searches=["a.b", "a\nnameserver 6.6.6.6"]),
        'spec.dnsConfig.searches[1]: "a\\nnameserver 6.6.6.6" is not a search domain',
    ),
    (
        dns_config(options=[{"name": "ndots", "value": "5\n"}]),
        "spec.dnsConfig.options[0]: needs a name, and holds no white space",
    ),
    (
        dns_config(options=[{"value": "5"}]),
        "spec.dnsConfig.options[0]: needs a name, and holds no white space",
    ),
    (alias("x", "a"), 'spec.hostAliases[0].ip: "x" is not an IP address'),
    (alias(V4, "a", "b\n"), 'spec.hostAliases[0].hostnames[1]: "b\\n" is not a valid name'),
    (("ServiceCIDR", {"spec": {"cidrs": ["x"]}}), 'spec.cidrs[0]: "x" is not a CIDR'),
]


@pytest.mark.parametrize(("found", "expected"), REFUSED)
def test_refused(found: tuple[str, dict[str, Any]], expected: str) -> None:
    assert problem(found[0], **found[1]) == expected


def test_every_check_refuses_something() -> None:
    assert {found[0] for found, _ in REFUSED} == {kind.__name__ for kind in CHECKS}


TAKEN = [
    service(clusterIP="None"),
    service(clusterIP="None", clusterIPs=["None"], ipFamilies=["IPv4", "IPv6"]),
    service(clusterIP=""),
    service(clusterIP=V4, clusterIPs=[V4, V6], ipFamilies=["IPv4", "IPv6"]),
    service(clusterIP="FD00:0::1"),
    service(type="ExternalName", externalName="example.com"),
    service(loadBalancerSourceRanges=[" 10.0.0.1/8 "]),
    ports({"port": 53, "name": "udp", "protocol": "UDP"}, {"port": 53, "name": "tcp"}),
    ports({"port": 1, "targetPort": 0}),
    ports({"port": 1, "targetPort": ""}),
    ports({"port": 1, "targetPort": "web-2"}),
    ("Service", {"status": {"loadBalancer": {"ingress": [{"hostname": "a.example"}]}}}),
    service(type="ExternalName", externalName="example.com."),
    service(type="ExternalName", externalName="1.2.3.4"),
    pod_spec(dnsPolicy="None", dnsConfig={"nameservers": [V4]}),
    dns_config(searches=[".", "_a.b.", "a_b"], options=[{"name": "edns0"}]),
    alias(V6, "a.b", "c"),
    alias(V4),
    pod(podIP=""),
    pod(podIP=V4, podIPs=[{"ip": V4}, {"ip": V6}], hostIP="192.168.0.1"),
    addresses("Hostname", "node 1"),
    addresses("ExternalDNS", "ec2.example"),
    addresses("ExternalIP", ""),
    node(spec={"podCIDR": ""}),
    endpoint_slice("IPv4", V6),
    endpoint_slice("FQDN", "a.example"),
    policy("egress", {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}),
    policy("ingress", {"ports": [{"port": 1, "endPort": 9}, {"port": "web"}]}),
]


@pytest.mark.parametrize("found", TAKEN)
def test_taken(found: tuple[str, dict[str, Any]]) -> None:
    assert problem(found[0], **found[1]) == ""


NAMES: list[tuple[Any, list[str], list[str]]] = [
    (names.is_label, ["a", "a-b", "0", "a" * 63], ["", "-a", "a-", "a.b", "A", "a" * 64, "a\n"]),
    (names.is_subdomain, ["a", "a.b-c.d"], ["", ".a", "a.", "a..b", "a/b", "a_b", "a" * 254]),
    (names.is_port_name, ["http", "a-1"], ["", "80", "a--b", "-a", "a-", "A", "a" * 16]),
    (names.is_label_value, ["", "A_b.c-1", "x" * 63], ["-a", "a-", "a b", "a/b", "x" * 64, "a\n"]),
    (
        names.is_label_key,
        ["app", "a.b/C_d", "kubernetes.io/os"],
        ["", "/a", "a/", "A/b", "a/b/c", "a b", "x" * 64],
    ),
]


@pytest.mark.parametrize(("check", "good", "bad"), NAMES)
def test_names(check: Any, good: list[str], bad: list[str]) -> None:
    assert [name for name in good if not check(name)] == []
    assert [name for name in bad if check(name)] == []


def test_dots_in_names() -> None:
    assert problem("Pod", metadata={"name": "a.b"}) == ""
    assert "metadata.name" in problem("Service", metadata={"name": "a.b"})
    assert "metadata.name" in problem("Namespace", metadata={"name": "a.b"})
