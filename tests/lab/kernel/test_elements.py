"""Elements by our own messages, against the same by libnftables."""

import re

from benchmarks.lab_cluster import cluster as generated
from kubehop import example
from kubehop.lab.kernel import Base, Kernel, elements
from kubehop.lab.kernel.nft import Rules
from kubehop.lab.plan.rules import load_text, node_rulesets
from kubehop.lab.plan.values import Make, Nft, Sandbox
from kubehop.model.cluster import Cluster
from kubehop.source.read import read
from kubehop.workload.complete import complete
from kubehop.workload.options import Options
from tests.lab.inside import as_everyone, in_lab

MANIFEST = b"""
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  ipFamilyPolicy: RequireDualStack
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [203.0.113.0/24, "2001:db8::/32"]
  selector: {app: web}
  ports:
    - {name: a, port: 80}
    - {name: b, port: 53, protocol: UDP}
    - {name: c, port: 9, protocol: SCTP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 20
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, ports: [{containerPort: 80, hostPort: 8080}]}]}
"""
DUAL = complete(read([("dual.yaml", MANIFEST)]), Options(nodes=3, pod_network="canal"))
HANDLE = re.compile(r'"handle": \d+')


def listed(kernel: Kernel, namespace: str) -> list[str]:
    """All that nft lists, one JSON value a line; the order of elements is no matter."""
    with kernel.inside(namespace):
        rules = Rules()
        printed = rules.run("list ruleset\n")
        rules.close()
    return sorted(
        part for line in HANDLE.sub("", printed).splitlines() for part in line.strip().split(", ")
    )


def both(kernel: Kernel, name: str, cluster: Cluster) -> None:
    for index, ruleset in enumerate(node_rulesets(cluster).values()):
        ours, theirs = f"{name}-ours-{index}", f"{name}-theirs-{index}"
        kernel.apply([Make(Sandbox(one, "x")) for one in (ours, theirs)])
        text = load_text(ruleset)
        kernel.apply([Nft(ours, text)])
        with kernel.inside(theirs):
            rules = Rules()
            for part in Nft(theirs, text).transactions:
                rules.run(part)
            rules.close()
        mine = listed(kernel, ours)
        assert len(mine) > 100
        assert mine == listed(kernel, theirs)


@as_everyone
@in_lab
def test_as_libnftables_makes_them(base: Base, uid: int | None) -> None:
    kernel = Kernel(base)
    both(kernel, "notes", example.cluster())
    both(kernel, "dual", DUAL)
    both(kernel, "many", generated(2, 400, 1200))  # more than a message, and than a transaction
    kernel.close()


def test_intervals_and_rules_are_left_over() -> None:
    frame = "table ip t {\n\tset a {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t}\n}\n"
    text = "add element ip t a { 10.0.0.0/8 }\nadd rule ip t c drop\n"
    assert elements.loading(text, frame) == elements.Loading((), text)


def test_types_of_a_frame() -> None:
    frame = "table ip t {\n\tmap m {\n\t\ttype mark . mark : ipv4_addr . inet_service\n\t}\n}\n"
    assert elements.types_in(frame) == {
        "ip t m": ("mark", ".", "mark", ":", "ipv4_addr", ".", "inet_service")
    }
    made = elements.loading("add element ip t m { 1 . 2 : 10.0.0.1 . 80 }\n", frame)
    assert not made.rest
    assert len(made.batches) == 1
