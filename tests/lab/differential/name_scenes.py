"""Clusters whose names are looked up: plain data by chance, as `clusters` has them for packets."""

import json
from random import Random
from typing import Any, TypeVar

from kubehop.model.cluster import Cluster
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.options import Options

T = TypeVar("T")
Raw = dict[str, Any]
Scene = dict[str, Any]
"""`objects`: manifests; `names`: what is looked up."""

FAMILIES = (("IPv4",), ("IPv4",), ("IPv4", "IPv6"), ("IPv6", "IPv4"), ("IPv6",))
NAMESPACES = ("default", "shop")
OUTSIDE = {"IPv4": "203.0.113.53", "IPv6": "2001:db8::53"}
DNS_IPS = {"IPv4": "10.43.0.10", "IPv6": "fd00:10:43::10"}
DOMAINS = ("cluster.local", "cluster.local", "cluster.local", "k8s.example")
POLICIES = ("ClusterFirst", None, "ClusterFirst", "Default", "ClusterFirstWithHostNet", "None")
NODE_OPTIONS = ("", "", "options ndots:2\n", "options edns0 trust-ad\n")
NODE_SEARCHES = ("", "search ca-central-1.compute.internal\n", "search corp.example example.com\n")
SEARCHES: tuple[list[str], ...] = (
    [],
    ["shop.svc.{domain}"],
    ["example.com", "corp.example."],
    [f"a-rather-long-domain-number-{n}.corp.example" for n in range(8)],
)
RESOLVER_OPTIONS: tuple[list[Raw], ...] = (
    [],
    [{"name": "ndots", "value": "1"}],
    [{"name": "ndots", "value": "0"}],
    [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
    [{"name": "use-vc"}],
    [{"name": "single-request-reopen"}, {"name": "ndots", "value": "3"}],
    [{"name": "single-request"}, {"name": "timeout", "value": "1"}],
    [{"name": "rotate"}],
    [{"name": "no-aaaa"}],
)
FORWARD = "forward . /etc/resolv.conf"
FORWARDS = (*[FORWARD] * 5, "forward . {outside}", "forward corp.example {outside}", "")
"""Without one for a name it is SERVFAIL, or NXDOMAIN of the kubernetes plugin's zones."""
STUBS = (
    "",
    "",
    "",
    "example.com:53 {{\nforward . {outside}\n}}\n",
    "corp.example {{\nerrors\n}}\n",
)
_BIG = "\n".join(f"192.0.2.{number} big.corp.example" for number in range(1, 61))
BIG = f"hosts {{{{\n{_BIG}\nfallthrough\n}}}}"
"""More than a datagram takes."""
KUBERNETES = "kubernetes {domain} in-addr.arpa ip6.arpa {{\n{options}\n}}"
COREFILES = (
    ("pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30", ("cache 30", "loadbalance")),
    ("pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30", ("cache 30", "loop")),
    ("pods verified", ("cache 10",)),
    # Without a cache, which comes before it: what one client got, another would get.
    ("pods verified", ("autopath @kubernetes",)),
    ("pods insecure\nendpoint_pod_names\nttl 0", ()),
    ("namespaces default kube-system\npods insecure", ("cache",)),
    ("ignore empty_service\nfallthrough", ("cache 30",)),
    (
        "pods insecure",
        ("rewrite name exact web.corp.example. web.default.svc.{domain}.", "cache 30"),
    ),
    ("pods insecure\nfallthrough", (BIG, "cache 30")),
    (
        "pods insecure",
        ("hosts {{\n192.0.2.77 printer.corp.example printer\nfallthrough\n}}", "cache 30"),
    ),
)
MISSING = ("nosuch", "nosuch.default", "nosuch.example.com", "nosuch.corp.example.")
PUBLIC = ("example.com", "example.com.", "www.example.com", "github.com", "api.github.com.")
ODD = ("localhost", "a.b.c.d.e.example.com", "printer", "web.corp.example", "legacy", "EXAMPLE.com")
BIGS = ("big.corp.example", "big.corp.example.", "big")
TARGETS = (
    "example.com",
    "github.com",
    "web.default.svc.{domain}",
    "nosuch.example.com",
    "example.org.",
)


def completed(scene: Scene) -> Cluster:
    """The cluster of a scene."""
    text = "\n---\n".join(map(json.dumps, scene["objects"]))
    return complete(read([("scene.yaml", text.encode())]), Options())


def scene(dice: Random) -> Scene:
    """A small cluster with cluster DNS, and pods that read names in every way there is."""
    families, domain = dice.choice(FAMILIES), dice.choice(DOMAINS)
    nodes = [_node(dice, index, families) for index in range(dice.randint(1, 3))]
    port = dice.choice([53, 53, 53, 5353])
    dns = [_dns_pod(dice, index, nodes, families, port) for index in range(dice.randint(1, 3))]
    pods = [_pod(dice, index, nodes, families, domain) for index in range(dice.randint(2, 4))]
    services = [_service(dice, index, families, domain) for index in range(dice.randint(2, 5))]
    objects = [
        *nodes,
        *(_object("v1", "Namespace", name, "") for name in (*NAMESPACES, "kube-system")),
        *_corefile(dice, domain, port, families),
        _dns_service(dice, families, port),
        *dns,
        *pods,
        *services,
    ]
    return {"objects": objects, "names": _names(dice, pods, services, domain)}


def _object(version: str, kind: str, name: str, namespace: str, **more: Any) -> Raw:
    metadata: Raw = {"name": name, "labels": more.pop("labels", {})}
    metadata["annotations"] = more.pop("annotations", {})
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _node(dice: Random, index: int, families: tuple[str, ...]) -> Raw:
    own = {
        "IPv4": (f"192.168.0.{10 + index}", f"10.42.{index}.0/24"),
        "IPv6": (f"fd00:192::{index + 1}", f"fd00:10:42:{index}::/64"),
    }
    annotations = {}
    if dice.randint(0, 3):
        servers = "".join(f"nameserver {OUTSIDE[each]}\n" for each in _some(dice, families))
        text = dice.choice(NODE_SEARCHES) + servers + dice.choice(NODE_OPTIONS)
        annotations["kubehop.dev/resolv-conf"] = text
    return _object(
        "v1",
        "Node",
        f"n{index}",
        "",
        annotations=annotations,
        spec={"podCIDRs": [own[each][1] for each in families]},
        status={"addresses": [{"type": "InternalIP", "address": own[e][0]} for e in families]},
    )


def _some(dice: Random, of: tuple[T, ...]) -> list[T]:
    """One of them at least."""
    return dice.sample(of, dice.randint(1, len(of)))


def _placed(
    nodes: list[Raw], at: int, number: int, families: tuple[str, ...], spec: Raw, ready: str
) -> Raw:
    """Spec and status of a pod on a node."""
    made = {"IPv4": f"10.42.{at}.{number}", "IPv6": f"fd00:10:42:{at}::{number:x}"}
    host = [one["address"] for one in nodes[at]["status"]["addresses"]]
    addresses = host if spec.get("hostNetwork") else [made[each] for each in families]
    return {
        "spec": {"nodeName": nodes[at]["metadata"]["name"], **spec},
        "status": {
            "phase": "Running",
            "podIP": addresses[0],
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def _dns_pod(
    dice: Random, index: int, nodes: list[Raw], families: tuple[str, ...], port: int
) -> Raw:
    """Now and then on the network of a host, where there is room for one."""
    ports = [{"containerPort": port, "protocol": protocol} for protocol in ("UDP", "TCP")]
    spec: Raw = {"dnsPolicy": "Default", "containers": [{"name": "coredns", "ports": ports}]}
    at = dice.randrange(len(nodes))
    if index == 0 and dice.randint(0, 5) == 0:
        spec["hostNetwork"] = True
    ready = "True" if index == 0 or dice.randint(0, 4) else "False"
    placed = _placed(nodes, at, 2 + index, families, spec, ready)
    labels = {"k8s-app": "kube-dns"}
    return _object("v1", "Pod", f"coredns-{index}", "kube-system", labels=labels, **placed)


def _dns_service(dice: Random, families: tuple[str, ...], port: int) -> Raw:
    chosen = dice.choice([families, families[:1]])
    ips = [DNS_IPS[each] for each in chosen]
    ports = [
        {"name": f"dns-{protocol.lower()}", "port": 53, "targetPort": port, "protocol": protocol}
        for protocol in ("UDP", "TCP")
    ]
    spec: Raw = {"clusterIP": ips[0], "clusterIPs": ips, "selector": {"k8s-app": "kube-dns"}}
    spec |= {"ipFamilies": list(chosen), "ports": ports}
    if dice.randint(0, 7) == 0:
        spec["internalTrafficPolicy"] = "Local"
    return _object("v1", "Service", "kube-dns", "kube-system", spec=spec)


def _corefile(dice: Random, domain: str, port: int, families: tuple[str, ...]) -> list[Raw]:
    """Now and then none: kubeadm's is assumed."""
    if domain == DOMAINS[0] and port == 53 and dice.randint(0, 3) == 0:
        return []
    options, plugins = dice.choice(COREFILES)
    lines = ["errors", KUBERNETES.format(domain=domain, options=options)]
    lines += [one.format(domain=domain) for one in plugins]
    outside = OUTSIDE[families[0]]
    forward = dice.choice(FORWARDS).format(outside=outside)
    text = f".:{port} {{\n" + "\n".join([*lines, forward]) + "\n}\n"
    text += dice.choice(STUBS).format(outside=outside).replace(":53", f":{port}")
    return [_object("v1", "ConfigMap", "coredns", "kube-system", data={"Corefile": text})]


def _pod(dice: Random, index: int, nodes: list[Raw], families: tuple[str, ...], domain: str) -> Raw:
    """Reads names by a policy and a config of its own, on its own or the host's network."""
    spec: Raw = {"containers": [{"name": "main", "ports": [{"containerPort": 8080 + index}]}]}
    if dice.randint(0, 4) == 0:
        spec["hostNetwork"] = True
    if policy := dice.choice(POLICIES):
        spec["dnsPolicy"] = policy
    config: Raw = {}
    if policy == "None" or dice.randint(0, 2) == 0:
        config["options"] = dice.choice(RESOLVER_OPTIONS)
        config["searches"] = [one.format(domain=domain) for one in dice.choice(SEARCHES)]
        if policy == "None" or dice.randint(0, 4) == 0:
            own = tuple(DNS_IPS[each] for each in families[:1])
            outside = tuple(OUTSIDE[each] for each in families)
            config["nameservers"] = dice.choice([own, own, outside, (*own, outside[0])])
    if config:
        spec["dnsConfig"] = config
    if dice.randint(0, 2) == 0:
        spec["subdomain"] = dice.choice(["headless", "web", "nosuch"])
        spec["hostname"] = dice.choice([f"db-{index}", f"db-{index}", ""])
        spec["setHostnameAsFQDN"] = dice.choice([None, None, True])
    if dice.randint(0, 3) == 0:
        ip = {"IPv4": "192.0.2.50", "IPv6": "2001:db8:2::50"}[dice.choice(families)]
        spec["hostAliases"] = [{"ip": ip, "hostnames": ["legacy", "www.example.com"]}]
    spec = {key: value for key, value in spec.items() if value not in (None, "")}
    ready = "True" if dice.randint(0, 3) else "False"
    placed = _placed(nodes, dice.randrange(len(nodes)), 20 + index, families, spec, ready)
    labels = {"app": dice.choice(["web", "headless"])}
    return _object("v1", "Pod", f"p{index}", dice.choice(NAMESPACES), labels=labels, **placed)


def _service(dice: Random, index: int, families: tuple[str, ...], domain: str) -> Raw:
    """The first two are those that pods are behind."""
    name = ("web", "headless")[index] if index < 2 else f"s{index}"
    kind = ("ip", "headless")[index] if index < 2 else dice.choice(["ip", "headless", "name"])
    spec: Raw = {"ports": [{"name": "http", "port": 80}]}
    chosen = dice.choice([families, families[:1], families[-1:]])
    if kind == "name":
        target = dice.choice(TARGETS).format(domain=domain)
        spec = {"type": "ExternalName", "externalName": target.removesuffix(".")}
    elif kind == "headless":
        spec |= {"clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": list(chosen)}
        spec["publishNotReadyAddresses"] = dice.choice([True, False])
    else:
        of = {"IPv4": f"10.43.0.{20 + index}", "IPv6": f"fd00:10:43::{20 + index}"}
        ips = [of[each] for each in chosen]
        spec |= {"clusterIP": ips[0], "clusterIPs": ips, "ipFamilies": list(chosen)}
    if kind != "name" and dice.randint(0, 5):
        spec["selector"] = {"app": dice.choice(["web", "headless"]) if index > 1 else name}
    where = "default" if index == 0 else dice.choice(NAMESPACES)
    return _object("v1", "Service", name, where, spec=spec)


def _names(dice: Random, pods: list[Raw], services: list[Raw], domain: str) -> list[str]:
    """A few of each kind."""
    found: list[str] = [dice.choice(MISSING), dice.choice(PUBLIC), dice.choice(ODD + BIGS)]
    for service in dice.sample(services, 2):
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        full = f"{name}.{namespace}.svc"
        found += dice.sample([name, f"{name}.{namespace}", full, f"{full}.{domain}"], 1)
        found.append(f"{full}.{domain}.")
    pod = dice.choice(pods)
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    hostname, subdomain = spec.get("hostname", pod["metadata"]["name"]), spec.get("subdomain")
    found.append(f"{hostname}.{subdomain}.{namespace}" if subdomain else hostname)
    address = pod["status"]["podIPs"][0]["ip"]
    dashed = address.replace(".", "-").replace(":", "-")
    found.append(dice.choice([address, f"{dashed}.{namespace}.pod.{domain}."]))
    found.append(dice.choice(["kubernetes.default", "kube-dns.kube-system", address]))
    return list(dict.fromkeys(found))
