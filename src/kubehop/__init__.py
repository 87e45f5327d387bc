"""kubehop: where does this packet go in my Kubernetes cluster, and why does it not arrive?

    >>> import kubehop
    >>> cluster = kubehop.load("manifests/")
    >>> answer = kubehop.trace(cluster, "external", "svc/web:80")
    >>> for fate in answer.fates: print(fate.probability, fate.verdict, fate.source_seen)

Everything here is a value: nothing that is returned changes, and nothing changes a cluster.
"""

from collections.abc import Iterable
from os import PathLike, fspath
from typing import TYPE_CHECKING

# The function `trace` below and the package share a name. Importing the package first leaves
# the last word to the function: later imports of its modules do not bind the name again.
import kubehop.trace as _package
from kubehop.model.cluster import Cluster
from kubehop.model.errors import ClusterError, InputError, KubehopError, UsageError

del _package

if TYPE_CHECKING:
    from kubehop.service.spread import Spread
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
    "set_fields",
    "spread",
    "trace",
]


def load(
    *paths: str | PathLike[str], namespace: str = "default", options: "Options | None" = None
) -> Cluster:
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
) -> Cluster:
    """The cluster of a kubectl context, read only. Raises ClusterError if it cannot be asked."""
    from kubehop.live.fetch import fetch
    from kubehop.workload.complete import complete
    from kubehop.workload.options import Options

    return complete(fetch(context=context, kubeconfig=kubeconfig), options or Options())


def trace(
    cluster: Cluster,
    origin: str,
    target: str,
    *,
    protocol: str | None = None,
    via: str | None = None,
    node: str = "",
    namespace: str = "default",
) -> "Trace":
    """Every fate of the first packet of a connection, in the words of `kubehop trace --help`.

    Raises UsageError for what the cluster does not have.
    """
    from kubehop.service.frontends import FrontendKind
    from kubehop.trace.walk import trace as walk

    return walk(
        cluster,
        origin,
        target,
        protocol=protocol,
        via=FrontendKind(via) if via else None,
        node=node,
        namespace=namespace,
    )


def spread(cluster: Cluster, service: str, *, namespace: str = "default") -> "tuple[Spread, ...]":
    """Who answers for a Service (NAME or NAME.NAMESPACE), per port and family.

    Empty for a headless Service or an ExternalName. Raises UsageError for an unknown one.
    """
    from kubehop.service.spread import spreads
    from kubehop.trace.questions import find_service

    return spreads(cluster, find_service(cluster, service, namespace))


def set_fields(
    cluster: Cluster, service: str, assignments: Iterable[str], *, namespace: str = "default"
) -> Cluster:
    """The cluster as it would be with fields of a Service changed, as `--set PATH=VALUE` does.

    Raises UsageError for a path, value or combination that a Service cannot have.
    """
    from kubehop.trace.questions import find_service
    from kubehop.workload.change import changed
    from kubehop.workload.options import Options

    found = find_service(cluster, service, namespace)
    return changed(cluster, found, assignments, Options())
