from tests.real.runtimes.containerd import Containerd


def test_a_pod_has_an_address_of_each_family(containerd: Containerd) -> None:
    pod = containerd.pods["web"]
    said = containerd.inside(pod.pid, "ip", "-brief", "addr", "show", "eth0").stdout
    assert len(pod.addresses) == 2
    assert all(address in said for address in pod.addresses)
