"""Names of addresses: PTR.

Source: `plugin/kubernetes/reverse.go`, `plugin/pkg/dnsutil/reverse.go`.
"""

import ipaddress

from kubehop.dns.message import Record
from kubehop.dns.names import absolute
from kubehop.dns.zone.backends import is_ready, label_of
from kubehop.dns.zone.find import Sight

V4, V6 = ".in-addr.arpa.", ".ip6.arpa."


def address_of(name: str) -> str:
    """The address that a folded reverse name stands for, "" if it is not one, whole."""
    try:
        if name.endswith(V4):
            parts = name.removesuffix(V4).split(".")
            return str(ipaddress.IPv4Address(".".join(reversed(parts))))
        if name.endswith(V6):
            parts = name.removesuffix(V6).split(".")[::-1]
            groups = ["".join(parts[at : at + 4]) for at in range(0, len(parts) // 4 * 4, 4)]
            found = ipaddress.IPv6Address(":".join(groups))
            return str(found.ipv4_mapped or found)
    except ValueError:
        pass
    return ""


def pointers(sight: Sight, name: str, address: str) -> tuple[Record, ...]:
    """PTR records: a Service's cluster IP hides endpoints, each endpoint names its Service."""
    targets = _cluster_ip(sight, address) or _endpoints(sight, address)
    ttl = sight.options.ttl
    return tuple(Record(name, ttl, "PTR", target) for target in dict.fromkeys(targets))


def _cluster_ip(sight: Sight, address: str) -> list[str]:
    for namespace, name in sight.data.by_cluster_ip.get(address, ()):
        backend = sight.data.backends[namespace, name]
        if sight.service(backend) is not None and _shown(sight, namespace):
            return [_name(name, namespace, sight)]
    return []


def _endpoints(sight: Sight, address: str) -> list[str]:
    options, found = sight.options, []
    for key in sight.data.by_endpoint_ip.get(address, ()) if options.endpoints else ():
        endpoint_slice = sight.data.slices[key]
        service = endpoint_slice.service_name
        if not sight.slice_seen(endpoint_slice) or not service or not _shown(sight, key[0]):
            continue
        for endpoint in endpoint_slice.endpoints or ():
            if is_ready(endpoint) and address in endpoint.addresses:
                label = label_of(endpoint, address, options.endpoint_pod_names)
                found.append(_name(f"{label}.{service}", key[0], sight))
    return found


def _shown(sight: Sight, namespace: str) -> bool:
    """Only the option `namespaces` hides addresses; a selector of namespaces does not."""
    return not sight.options.namespaces or sight.namespace_exposed(namespace)


def _name(below: str, namespace: str, sight: Sight) -> str:
    primary = sight.options.primary
    return absolute(f"{below}.{namespace}.svc.{primary if primary != '.' else ''}")
