"""The kinds that kubehop reads, in one table; every other kind is counted and named."""

from dataclasses import dataclass

from kubehop.model.config import ConfigMap, ServiceCIDR
from kubehop.model.meta import Object
from kubehop.model.node import Namespace, Node
from kubehop.model.pod import Pod
from kubehop.model.policy import NetworkPolicy
from kubehop.model.service import Endpoints, EndpointSlice, Service
from kubehop.model.workloads import (
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    ReplicaSet,
    StatefulSet,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind is decoded and where the API serves it (first of `api_versions`)."""

    type: type[Object]
    api_versions: tuple[str, ...]
    plural: str
    namespaced: bool = True

    @property
    def name(self) -> str:
        return self.type.__name__

    @property
    def group(self) -> str:
        """The API group, "" for core."""
        return self.api_versions[0].rpartition("/")[0]

    @property
    def path(self) -> str:
        """Where the API lists it in all namespaces: "/apis/apps/v1/deployments"."""
        version = self.api_versions[0]
        return f"/{'apis' if '/' in version else 'api'}/{version}/{self.plural}"


_TABLE = (
    Kind(Node, ("v1",), "nodes", namespaced=False),
    Kind(Namespace, ("v1",), "namespaces", namespaced=False),
    Kind(Pod, ("v1",), "pods"),
    Kind(Service, ("v1",), "services"),
    Kind(EndpointSlice, ("discovery.k8s.io/v1",), "endpointslices"),
    Kind(Endpoints, ("v1",), "endpoints"),
    Kind(NetworkPolicy, ("networking.k8s.io/v1",), "networkpolicies"),
    Kind(ConfigMap, ("v1",), "configmaps"),
    Kind(
        ServiceCIDR,
        (
            "networking.k8s.io/v1",
            "networking.k8s.io/v1beta1",
            "networking.k8s.io/v1alpha1",
        ),
        "servicecidrs",
        namespaced=False,
    ),
    Kind(Deployment, ("apps/v1",), "deployments"),
    Kind(ReplicaSet, ("apps/v1",), "replicasets"),
    Kind(StatefulSet, ("apps/v1",), "statefulsets"),
    Kind(DaemonSet, ("apps/v1",), "daemonsets"),
    Kind(Job, ("batch/v1",), "jobs"),
    Kind(CronJob, ("batch/v1", "batch/v1beta1"), "cronjobs"),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}
