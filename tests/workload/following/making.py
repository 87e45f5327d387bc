"""What these tests ask of a cluster that is followed."""

from kubehop.model.cluster import Cluster
from kubehop.model.pod import Pod
from kubehop.workload.complete import DEFAULTS
from kubehop.workload.following import Following, applied, start
from kubehop.workload.options import Options
from tests.workload.making import inventory

Places = dict[str, tuple[str, tuple[str, ...]]]


def begun(text: str, options: Options = DEFAULTS) -> Following:
    """What is followed from some YAML on."""
    return start(inventory(text), options)


def put(following: Following, text: str) -> Following:
    """With some YAML applied."""
    return applied(following, inventory(text))


def places(cluster: Cluster) -> Places:
    """Each pod's node and addresses."""
    return {pod.name: (pod.node_name, pod.addresses) for pod in cluster.pods}


def pod(following: Following, name: str) -> Pod:
    """A pod of the namespace default that must be there."""
    found = following.cluster.pod("default", name)
    assert found
    return found


def endpoints(following: Following, name: str) -> dict[str, str]:
    """What is behind a Service of default: pod name -> r, s and t for its three conditions."""
    service = following.cluster.service("default", name)
    assert service
    found = {}
    for endpoint_slice in following.cluster.slices_of(service):
        for endpoint in endpoint_slice.endpoints or ():
            told = endpoint.conditions
            assert told
            letters = zip("rst", (told.ready, told.serving, told.terminating), strict=True)
            key = (endpoint.target_ref and endpoint.target_ref.name) or endpoint.addresses[0]
            found[key] = "".join(letter for letter, holds in letters if holds)
    return found
