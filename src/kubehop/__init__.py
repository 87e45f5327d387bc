"""kubehop: where does this packet go in my Kubernetes cluster, and why does it not arrive?

    >>> import kubehop
    >>> cluster = kubehop.load("manifests/")
    >>> answer = kubehop.trace(cluster, "external", "svc/web:80")
    >>> for fate in answer.fates: print(fate.probability, fate.verdict, fate.source_seen)
    >>> kubehop.resolve(cluster, "web.shop", "pod/client").outcome

Everything here is a value: nothing that is returned changes, and nothing changes a cluster.
"""

from os import PathLike, fspath

# The function `trace` below and the package share a name. Importing the package first leaves
# the last word to the function: later imports of its modules do not bind the name again.
import kubehop.trace as _package
from kubehop.model.errors import ClusterError, InputError, KubehopError, UsageError

del _package

# As in typing, which takes longer to import than all that is here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kubehop.dns.settings import DNSSettings
    from kubehop.model.cluster import Cluster
    from kubehop.service.spread import Spread
    from kubehop.trace.lookups import Prediction
    from kubehop.trace.values import Trace
    from kubehop.workload.options import Options

__all__ = [
    "Cluster",
    "ClusterError",
    "InputError",
    "KubehopError",
    "UsageError",
    "load",
    "load_live",
    "resolve",
    "set_fields",
    "spread",
    "trace",
]


def __getattr__(name: str) -> "Any":
    """`Cluster`, when somebody wants it: a command about this host's pods needs no model."""
    if name != "Cluster":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kubehop.model.cluster import Cluster

    return Cluster


def load(
    *paths: str | PathLike[str], namespace: str = "default", options: "Options | None" = None
) -> "Cluster":
    """The cluster in files or directories: manifests, lists, dumps, snapshots; `-` is stdin.

    `namespace` is given to objects that name none. Raises InputError for what cannot be read.
    """
    from kubehop.files import collector_paused, read_paths
    from kubehop.source.read import read
    from kubehop.workload.complete import complete
    from kubehop.workload.options import Options

    with collector_paused():
        inventory = read(read_paths([fspath(path) for path in paths]), namespace=namespace)
        return complete(inventory, options or Options())


def load_live(
    *, context: str | None = None, kubeconfig: str | None = None, options: "Options | None" = None
) -> "Cluster":
    """The cluster of a kubectl context, read only. Raises ClusterError if it cannot be asked."""
    from kubehop.live.fetch import fetch
    from kubehop.workload.complete import complete
    from kubehop.workload.options import Options

    return complete(fetch(context=context, kubeconfig=kubeconfig), options or Options())


def trace(
    cluster: "Cluster",
    origin: str,
    target: str,
    *,
    protocol: str | None = None,
    via: str | None = None,
    node: str = "",
    namespace: str = "default",
    settings: "DNSSettings | None" = None,
) -> "Trace":
    """Every fate of the first packet of a connection, in the words of `kubehop trace --help`.

    A host name as target is looked up first, as `resolve` does with `settings`. Raises
    UsageError for what the cluster does not have.
    """
    from kubehop.dns.lookup.resolvers import RESOLVERS
    from kubehop.dns.settings import DNSSettings
    from kubehop.service.frontends import FrontendKind
    from kubehop.trace.by_name import trace_any
    from kubehop.trace.lookups import Names

    return trace_any(
        Names(cluster, settings or DNSSettings()),
        origin,
        target,
        RESOLVERS["glibc"],
        protocol=protocol,
        via=FrontendKind(via) if via else None,
        node=node,
        namespace=namespace,
    )


def resolve(
    cluster: "Cluster",
    name: str,
    origin: str | None = None,
    *,
    resolver: str = "glibc",
    namespace: str = "default",
    settings: "DNSSettings | None" = None,
) -> "Prediction":
    """The lookup of `name` by a pod or node, in the words of `kubehop resolve --help`.

    Without `origin` any pod of `namespace` is meant. Raises UsageError for an unknown origin or
    resolver, InputError for a Corefile that CoreDNS would refuse.
    """
    from kubehop.dns.settings import DNSSettings
    from kubehop.trace.lookups import Names, resolver_named
    from kubehop.trace.questions import parse_origin

    start = parse_origin(cluster, origin, namespace) if origin else None
    names = Names(cluster, settings or DNSSettings())
    return names.lookup(name, start, resolver_named(resolver), namespace)


def spread(cluster: "Cluster", service: str, *, namespace: str = "default") -> "tuple[Spread, ...]":
    """Who answers for a Service (NAME or NAME.NAMESPACE), per port and family.

    Empty for a headless Service or an ExternalName. Raises UsageError for an unknown one.
    """
    from kubehop.service.spread import spreads
    from kubehop.trace.questions import find_service

    return spreads(cluster, find_service(cluster, service, namespace))


def set_fields(
    cluster: "Cluster", service: str, assignments: "Iterable[str]", *, namespace: str = "default"
) -> "Cluster":
    """The cluster as it would be with fields of a Service changed, as `--set PATH=VALUE` does.

    Raises UsageError for a path, value or combination that a Service cannot have.
    """
    from kubehop.trace.questions import find_service
    from kubehop.workload.change import changed
    from kubehop.workload.options import Options

    found = find_service(cluster, service, namespace)
    return changed(cluster, found, assignments, Options())
