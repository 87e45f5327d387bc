"""EndpointSlices that were observed, given by hand, or mirrored, once something changes."""

from kubehop.workload.following import conditioned, deleted, scaled
from tests.workload.following.making import begun, endpoints, put
from tests.workload.making import deployment, node, pod, service

MANAGED = "endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io"


def slice_of(name: str, entries: str, more: str = MANAGED, port: int = 8080) -> str:
    """An EndpointSlice of the Service web."""
    return f"""
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, labels: {{kubernetes.io/service-name: web, {more}}}}}
addressType: IPv4
ports: [{{name: "", port: {port}, protocol: TCP}}]
endpoints: [{entries}]
"""


def entry(address: str, name: str = "", ready: bool = True) -> str:
    target = f"targetRef: {{kind: Pod, name: {name}, namespace: default}}" if name else ""
    return f"{{addresses: [{address}], conditions: {{ready: {str(ready).lower()}}}, {target}}}"


def seen(name: str, address: str, ready: bool = True) -> str:
    told = f'phase: Running, podIP: {address}, conditions: [{{type: Ready, status: "{ready}"}}]'
    return pod(name, "nodeName: n0", told)


PODS = seen("a", "10.1.0.2") + seen("b", "10.1.0.3")
OBSERVED = slice_of("web-x7k2p", f"{entry('10.1.0.3', 'b')}, {entry('10.1.0.2', 'a')}").replace(
    "conditions", "nodeName: n0, conditions"
)
WEB = service("web")


def test_observed_slices_stay_until_a_pod_changes_and_keep_their_names() -> None:
    before = begun(WEB + PODS + OBSERVED)
    assert not any("not as the pods" in line for line in before.cluster.assumptions)
    elsewhere = put(before, service("other"))
    assert elsewhere.cluster.slices[-1] is before.cluster.slices[0]
    after = conditioned(before, "default", "a", "not-ready")
    (only,) = after.cluster.slices
    assert only.name == "web-x7k2p"
    assert endpoints(after, "web") == {"a": "", "b": "rs"}


def test_a_change_that_makes_no_difference_leaves_the_observed_slice() -> None:
    before = begun(WEB + PODS + OBSERVED)
    after = put(before, WEB.replace("port: 80,", "port: 81,"))
    assert after.cluster.slices == before.cluster.slices


def test_slices_that_differ_from_the_pods_are_named() -> None:
    wrong = slice_of("web-x7k2p", entry("10.1.0.2", "a", ready=False))
    before = begun(WEB + PODS + wrong)
    assert before.cluster.assumptions[-1] == (
        "EndpointSlices not as the pods would give them, until something changes: "
        "Service default/web"
    )
    after = put(before, seen("c", "10.1.0.4"))
    assert endpoints(after, "web") == {"a": "rs", "b": "rs", "c": "rs"}


def test_endpoints_of_pods_that_nobody_gave_stay() -> None:
    """A snapshot may have slices without pods: a new pod does not end the unknown ones."""
    before = begun(node("n0") + WEB + slice_of("web-x7k2p", entry("10.1.0.9", "unseen")))
    after = put(before, seen("c", "10.1.0.4"))
    assert set(endpoints(after, "web")) == {"unseen", "c"}
    (only,) = after.cluster.slices
    assert only.name == "web-x7k2p"
    gone = deleted(after, [("Pod", "default", "c")])
    assert set(endpoints(gone, "web")) == {"unseen"}


def test_endpoints_without_a_target_are_known_by_their_address() -> None:
    before = begun(WEB + PODS + slice_of("web-x", f"{entry('10.1.0.2')}, {entry('10.9.9.9')}", ""))
    after = deleted(before, [("Pod", "default", "a")])
    assert set(endpoints(after, "web")) == {"b", "10.9.9.9"}


def test_an_unknown_endpoint_that_turns_out_to_be_a_pod_is_there_once() -> None:
    before = begun(WEB + PODS + slice_of("web-x", entry("10.1.0.4"), ""))
    after = put(before, seen("c", "10.1.0.4"))
    assert set(endpoints(after, "web")) == {"a", "b", "c"}


def test_slices_of_another_manager_stay_beside_the_controllers() -> None:
    other = "endpointslice.kubernetes.io/managed-by: me.example.com"
    before = begun(WEB + PODS + slice_of("mine", entry("198.51.100.9"), other))
    after = conditioned(before, "default", "a", "not-ready")
    assert [found.name for found in after.cluster.slices] == ["mine", "web-1"]
    gone = deleted(after, [("Service", "default", "web")])
    assert [found.name for found in gone.cluster.slices] == ["mine"]


def test_a_name_that_another_manager_s_slice_has_is_not_given_again() -> None:
    other = "endpointslice.kubernetes.io/managed-by: me.example.com"
    before = begun(WEB + PODS + slice_of("web-1", entry("198.51.100.9"), other))
    after = conditioned(before, "default", "a", "not-ready")
    assert [found.name for found in after.cluster.slices] == ["web-1", "web-2"]


def test_a_slice_that_is_deleted_comes_back() -> None:
    before = begun(WEB + PODS)
    assert deleted(before, [("EndpointSlice", "default", "web-1")]) is before


def test_a_slice_that_is_applied_for_a_selector_is_put_right() -> None:
    before = begun(WEB + PODS)
    after = put(before, slice_of("web-zzz", entry("10.1.0.2", "a", ready=False)))
    assert endpoints(after, "web") == {"a": "rs", "b": "rs"}
    assert len(after.cluster.slices) == 1


BY_HAND = WEB.replace("selector: {app: web}, ", "")


def test_slices_by_hand_are_nobodys_but_the_users() -> None:
    given = slice_of("by-hand", entry("198.51.100.9"), "")
    before = begun(BY_HAND + PODS + given)
    after = conditioned(before, "default", "a", "not-ready")
    assert after.cluster.slices == before.cluster.slices
    moved = put(before, slice_of("by-hand", entry("198.51.100.8"), ""))
    assert set(endpoints(moved, "web")) == {"198.51.100.8"}
    gone = deleted(moved, [("EndpointSlice", "default", "by-hand")])
    assert gone.cluster.slices == ()


def endpoints_of(address: str) -> str:
    return f"""
---
apiVersion: v1
kind: Endpoints
metadata: {{name: web}}
subsets: [{{addresses: [{{ip: {address}}}], ports: [{{port: 8080}}]}}]
"""


def test_endpoints_are_mirrored_when_they_change() -> None:
    before = begun(BY_HAND + endpoints_of("198.51.100.9"))
    assert set(endpoints(before, "web")) == {"198.51.100.9"}
    after = put(before, endpoints_of("198.51.100.8"))
    assert set(endpoints(after, "web")) == {"198.51.100.8"}
    gone = deleted(after, [("Endpoints", "default", "web")])
    assert gone.cluster.slices == ()
    new = put(gone, endpoints_of("198.51.100.7"))
    assert set(endpoints(new, "web")) == {"198.51.100.7"}
    no_service = deleted(new, [("Service", "default", "web")])
    assert no_service.cluster.slices == ()
    assert not no_service.inventory.objects["Endpoints"]


def test_hints_are_dealt_again() -> None:
    zoned = WEB.replace("ports:", "trafficDistribution: PreferClose, ports:")
    text = deployment("web", 2) + WEB
    before = begun(text)
    after = put(before, zoned)
    assert not any(e.hints for s in after.cluster.slices for e in s.endpoints or ())  # no zones
    zone = node("z", "podCIDR: 10.42.9.0/24", "topology.kubernetes.io/zone: z")
    more = scaled(put(after, zone), "Deployment", "default", "web", 4)
    hinted = [e for s in more.cluster.slices for e in s.endpoints or () if e.hints]
    assert [e.node_name for e in hinted] == ["z"]


def test_more_than_a_hundred_endpoints_are_cut_as_at_first() -> None:
    before = begun(deployment("web", 99) + WEB)
    after = scaled(before, "Deployment", "default", "web", 205)
    assert [len(found.endpoints or ()) for found in after.cluster.slices] == [100, 100, 5]
    assert [f.name for f in after.cluster.slices] == ["web-1", "web-2", "web-3"]
