"""The example cluster that comes with the package: the one of the field notes."""

from importlib import resources

from kubehop.model.cluster import Cluster
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.options import Options

NAME = "notes-cluster.yaml"


def manifest() -> bytes:
    """The example's manifests, as they are in the package."""
    return resources.files("kubehop.data").joinpath(NAME).read_bytes()


def cluster() -> Cluster:
    """The example as a cluster: three nodes in two zones, pods wired as Rancher's canal does."""
    return complete(read([(NAME, manifest())]), Options(pod_network="canal"))
