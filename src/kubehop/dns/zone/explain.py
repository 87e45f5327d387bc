"""Why a name in the cluster's zone answers as it does, and which object is responsible."""

from dataclasses import dataclass

from kubehop.dns.message import Question
from kubehop.dns.names import folded
from kubehop.dns.zone.answer import KubernetesZone
from kubehop.dns.zone.backends import Backend, kind_of
from kubehop.dns.zone.find import Sight, find
from kubehop.dns.zone.grammar import Wanted, parse
from kubehop.dns.zone.reverse import address_of, pointers
from kubehop.model.service import Service


@dataclass(frozen=True, slots=True)
class Why:
    """A short reason, and the object that it is about, "" if there is none."""

    text: str
    object: str = ""


def explain(zone: KubernetesZone, question: Question, origin: str) -> Why:
    """The reason for what `zone.lookup` finds in `origin`; off the hot path."""
    name, sight = folded(question.name), zone.sight
    if question.type == "PTR" and (address := address_of(name)):
        return _pointer(sight, question, address)
    if question.type in ("AXFR", "IXFR"):
        return Why("zone transfers need the transfer plugin")
    if question.type == "TXT" and name == f"dns-version.{origin}":
        return Why("the version of the DNS schema")
    if question.type == "A" and name == f"ns.dns.{origin}":
        return Why("the name server of the zone: the Service that has CoreDNS as endpoint")
    wanted = parse(name, origin, zone.options.zonal)
    if name == origin and question.type in ("SOA", "NS"):
        return Why(f"the zone itself, {origin}")
    if wanted is None:
        return Why(f"no name in {origin} has this form")
    if not wanted.kind:
        return Why(f"the name exists, without data of type {question.type}")
    missing = _namespace(sight, wanted)
    if missing is not None:
        return missing
    why = _pod(sight, wanted) if wanted.kind == "pod" else _service(sight, wanted, question.type)
    if find(sight, name, origin) is None and not zone.synced:
        lost = ", ".join(sorted({"Namespace", "Service", "EndpointSlice"} - sight.data.synced))
        return Why(f"CoreDNS cannot tell: it could not list {lost or 'Pod'} objects", why.object)
    return why


def _namespace(sight: Sight, wanted: Wanted) -> Why | None:
    """Why the namespace is not there, None if it is."""
    name = wanted.namespace
    if sight.namespace_exposed(name):
        return None
    if name not in sight.data.namespaces:
        return Why(f"namespace {name} does not exist", f"Namespace {name}")
    return Why(f"namespace {name} is not among those that CoreDNS serves", f"Namespace {name}")


def _service(sight: Sight, wanted: Wanted, kind: str) -> Why:
    if not wanted.service:
        return Why(f"namespace {wanted.namespace} exists, its name has no records")
    backend = sight.data.backends.get((wanted.namespace, wanted.service))
    service = sight.service(backend)
    if backend is None or service is None:
        return Why(f"no Service {wanted.service} in namespace {wanted.namespace}")
    about = service.reference
    if sight.ignored(service, backend):
        return Why(f"{about} has no ready endpoints, and ignore empty_service hides it", about)
    if service.spec.type == "ExternalName":
        return _external(service, wanted)
    if service.headless or wanted.endpoint:
        return _endpoints(sight, backend, service, wanted)
    if wanted.port and not any((p.name or "").lower() == wanted.port for p in service.ports):
        return Why(f"{about} has no port named {wanted.port}", about)
    same = [ip for ip in service.cluster_ips if kind not in ("A", "AAAA") or kind_of(ip) == kind]
    if not same:
        return Why(f"{about} has no {'IPv6' if kind == 'AAAA' else 'IPv4'} cluster IP", about)
    return Why(f"{about} has cluster IP {', '.join(same)}", about)


def _external(service: Service, wanted: Wanted) -> Why:
    host, about = service.spec.external_name or "", service.reference
    if kind_of(host) != "CNAME":
        return Why(f"{about} is an ExternalName for an address, {host}: not a name", about)
    if wanted.endpoint or wanted.port or wanted.protocol:
        return Why(f"{about} is an ExternalName: nothing is below it", about)
    return Why(f"{about} is an ExternalName for {host}", about)


def _endpoints(sight: Sight, backend: Backend, service: Service, wanted: Wanted) -> Why:
    ready, about = sight.ready(backend), service.reference
    if not sight.options.endpoints:
        return Why("CoreDNS runs with noendpoints: it knows no endpoints", about)
    if not ready.endpoints:
        kind = "is headless without" if service.headless else "has no"
        return Why(f"{about} {kind} ready endpoints", about)
    if wanted.endpoint and wanted.endpoint not in ready.by_label:
        return Why(f"no ready endpoint of {about} is called {wanted.endpoint}", about)
    found = ready.by_label[wanted.endpoint] if wanted.endpoint else ready.endpoints
    count = f"{len(found)} ready endpoint{'' if len(found) == 1 else 's'}"
    if wanted.port and not any(p.name == wanted.port for e in found for p in e.ports):
        return Why(f"no endpoint of {about} has a port named {wanted.port}", about)
    return Why(f"{about} has {count}", about)


def _pod(sight: Sight, wanted: Wanted) -> Why:
    mode = sight.options.pods
    if mode == "disabled":
        return Why("CoreDNS gives pods no names (pods disabled)")
    if not wanted.service:
        return Why(f"namespace {wanted.namespace} exists, its name has no records")
    if mode == "insecure":
        return Why("any address is echoed in an existing namespace (pods insecure)")
    label = wanted.service
    for address in (label.replace("-", "."), label.replace("-", ":")):
        for namespace, name in sight.data.pods_at.get(address, ()):
            if namespace == wanted.namespace:
                return Why(f"pod {namespace}/{name} has it", f"Pod {namespace}/{name}")
    return Why(f"no pod in namespace {wanted.namespace} has this address (pods verified)")


def _pointer(sight: Sight, question: Question, address: str) -> Why:
    found = pointers(sight, question.name, address)
    if not found:
        return Why(f"no Service has cluster IP {address}, and no ready endpoint is there")
    for namespace, name in sight.data.by_cluster_ip.get(address, ()):
        return Why(
            f"{address} is the cluster IP of Service {namespace}/{name}",
            f"Service {namespace}/{name}",
        )
    namespace, name = sight.data.by_endpoint_ip[address][0]
    service = sight.data.slices[namespace, name].service_name
    about = f"Service {namespace}/{service}"
    return Why(f"{address} is a ready endpoint of {about}", about)
