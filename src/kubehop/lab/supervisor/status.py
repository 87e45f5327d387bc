"""What stands in a lab, as JSON: kind LabStatus."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from kubehop.lab.faults.text import active_json
from kubehop.lab.plan.values import FABRIC, OUTSIDE, Sandbox, node_namespace, pod_namespace
from kubehop.lab.supervisor.state import State
from kubehop.model.cluster import Cluster
from kubehop.model.errors import KubehopError
from kubehop.model.pod import Pod
from kubehop.model.service import Service

Raw = dict[str, Any]


def status(state: State) -> Raw:
    """All of it; PIDs are those that the machine sees, each of a pause process."""
    lab, cluster = state.lab, state.lab.cluster
    pids = _Pids(state)
    return {
        "apiVersion": "kubehop/v1",
        "kind": "LabStatus",
        "name": state.name,
        "started": datetime.fromtimestamp(state.started, UTC).isoformat(timespec="seconds"),
        "rootless": not _is_root(),
        "fabric": pids.of(FABRIC),
        "outside": pids.of(OUTSIDE),
        "nodes": list(_nodes(cluster, pids)),
        "pods": [_pod(pod, pids) for pod in cluster.pods],
        "services": [_service(cluster, service) for service in cluster.services],
        "dns": [
            {"pod": server.pod, "addresses": list(server.addresses), "namespace": server.namespace}
            for server in lab.plan.nameservers
        ],
        "faults": [active_json(fault) for fault in lab.faults],
        "assumptions": list(cluster.assumptions),
        "notes": [*lab.kernel.notes, *lab.plan.notes],
        "problems": [*([lab.broken] if lab.broken else []), *lab.problems],
        "log": state.log.lines,
    }


def _is_root() -> bool:
    """Without a user namespace of its own, that is."""
    with open("/proc/self/uid_map", encoding="ascii") as lines:
        return os.geteuid() == 0 and lines.read().split() == ["0", "0", "4294967295"]


class _Pids:
    """PIDs of sandboxes that stand."""

    def __init__(self, state: State) -> None:
        self._kernel = state.lab.kernel
        self._there = {t.namespace for t in state.lab.plan.things if isinstance(t, Sandbox)}

    def of(self, namespace: str) -> int | None:
        if namespace in self._there:
            # It may go this very moment, and in a broken lab it may have gone already.
            with suppress(KubehopError, OSError):
                return self._kernel.pid(namespace)
        return None


def _nodes(cluster: Cluster, pids: _Pids) -> Iterator[Raw]:
    counts: dict[str, int] = {}
    for pod in cluster.pods:
        counts[pod.node_name] = counts.get(pod.node_name, 0) + 1
    for node in cluster.nodes:
        yield {
            "name": node.name,
            "zone": node.zone,
            "addresses": [*node.internal_ips, *node.external_ips],
            "podCIDRs": list(node.pod_cidrs),
            "pods": counts.get(node.name, 0),
            "pid": pids.of(node_namespace(node.name)),
        }


def _pod(pod: Pod, pids: _Pids) -> Raw:
    where = pod_namespace(pod.namespace, pod.name)
    host = node_namespace(pod.node_name)
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "node": pod.node_name,
        "addresses": list(pod.addresses),
        "hostNetwork": pod.host_network,
        "phase": pod.phase,
        "ready": pod.ready,
        "terminating": pod.terminating,
        "containers": [container.name for container in pod.spec.containers or ()],
        "pid": pids.of(host if pod.host_network else where),
    }


def _service(cluster: Cluster, service: Service) -> Raw:
    return {
        "namespace": service.namespace,
        "name": service.name,
        "type": service.spec.type,
        "clusterIPs": list(service.cluster_ips),
        "loadBalancer": [entry.ip for entry in service.ingress if entry.ip],
        "externalIPs": list(service.spec.external_ips or ()),
        "ports": [_port(port.port, port.node_port, port.protocol) for port in service.ports],
        "readyEndpoints": len(set(_ready(cluster, service))),
    }


def _port(port: int, node_port: int | None, protocol: str) -> str:
    """As kubectl has it: `80:30080/TCP`."""
    return f"{port}:{node_port}/{protocol}" if node_port else f"{port}/{protocol}"


def _ready(cluster: Cluster, service: Service) -> Iterable[str]:
    for found in cluster.slices_of(service):
        for endpoint in found.endpoints or ():
            if endpoint.conditions is None or endpoint.conditions.ready is not False:
                yield from endpoint.addresses[:1]
