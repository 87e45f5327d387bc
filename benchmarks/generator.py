"""A large cluster as `kubectl get nodes,services,endpointslices,pods -A -o json` prints it.

Deterministic and streamed: nothing is held in memory. At scale 1 it has 5,000 nodes, 10,000
Services, 150,000 pods and about 700 MB.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

NODES, SERVICES, PODS = 5_000, 10_000, 150_000
PER_SERVICE = PODS // SERVICES
ZONES = ("zone-a", "zone-b", "zone-c")

Json = dict[str, Any]


def write(out: BinaryIO, scale: float) -> int:
    """Write the List and return its size in bytes."""
    size = out.write(b'{\n    "apiVersion": "v1",\n    "items": [\n')
    separator = ""
    for item in items(scale):
        text = separator + json.dumps(item, indent=4).replace("\n", "\n        ")
        size += out.write(text.encode())
        separator = ",\n        "
    return size + out.write(b'\n    ],\n    "kind": "List",\n    "metadata": {}\n}\n')


def items(scale: float) -> Iterator[Json]:
    """Every object, in the order in which kubectl prints the kinds."""
    nodes, services = max(3, int(NODES * scale)), max(2, int(SERVICES * scale))
    yield from (node(n) for n in range(nodes))
    yield from (service(s) for s in range(services))
    yield from (endpoint_slice(s, nodes) for s in range(services))
    yield from (pod(s, p, nodes) for s in range(services) for p in range(PER_SERVICE))


def node(n: int) -> Json:
    cidr = f"10.{128 + n // 256}.{n % 256}.0/24"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"node-{n:05}",
            "uid": f"00000000-0000-4000-8000-{n:012}",
            "labels": {
                "kubernetes.io/hostname": f"node-{n:05}",
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": ZONES[n % 3],
            },
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
        },
        "spec": {"podCIDR": cidr, "podCIDRs": [cidr]},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": f"192.168.{n // 250}.{n % 250 + 1}"},
                {"type": "Hostname", "address": f"node-{n:05}"},
            ],
            "allocatable": {"cpu": "16", "memory": "64Gi", "pods": "110"},
            "conditions": [_condition("MemoryPressure", "False"), _condition("Ready", "True")],
            "images": [
                {
                    "names": [f"registry.example.com/team/app-{i}@sha256:{i:064x}"],
                    "sizeBytes": 81234567,
                }
                for i in range(12)
            ],
        },
    }


def _condition(kind: str, status: str) -> Json:
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def service(s: int) -> Json:
    kind = "LoadBalancer" if s % 20 == 0 else "NodePort" if s % 10 == 1 else "ClusterIP"
    spec: Json = {
        "type": kind,
        "clusterIP": f"172.20.{s // 250}.{s % 250 + 1}",
        "clusterIPs": [f"172.20.{s // 250}.{s % 250 + 1}"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "selector": {"app": f"app-{s}"},
        "sessionAffinity": "None",
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
    }
    status: Json = {"loadBalancer": {}}
    if kind != "ClusterIP":
        spec["ports"][0]["nodePort"] = 30000 + s // 10
        spec["externalTrafficPolicy"] = "Local" if s % 40 == 0 else "Cluster"
    if kind == "LoadBalancer":
        status = {"loadBalancer": {"ingress": [{"ip": f"198.18.{s // 250}.{s % 250 + 1}"}]}}
        if s % 40 == 0:
            spec["healthCheckNodePort"] = 31500 + s // 40
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"app-{s}", "namespace": f"team-{s % 100}"},
        "spec": spec,
        "status": status,
    }


def _place(s: int, p: int, nodes: int) -> tuple[int, str]:
    """The node of a Service's p-th pod, and the pod's address there."""
    index = s * PER_SERVICE + p
    n, row = index % nodes, index // nodes
    return n, f"10.{128 + n // 256}.{n % 256}.{row % 250 + 2}"


def endpoint_slice(s: int, nodes: int) -> Json:
    endpoints = []
    for p in range(PER_SERVICE):
        n, address = _place(s, p, nodes)
        endpoint: Json = {
            "addresses": [address],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": f"node-{n:05}",
            "zone": ZONES[n % 3],
            "targetRef": {"kind": "Pod", "name": f"app-{s}-{p}", "namespace": f"team-{s % 100}"},
        }
        if s % 7 == 0:
            endpoint["hints"] = {"forZones": [{"name": ZONES[n % 3]}]}
        endpoints.append(endpoint)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"app-{s}-abcde",
            "namespace": f"team-{s % 100}",
            "labels": {"kubernetes.io/service-name": f"app-{s}"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": endpoints,
    }


def pod(s: int, p: int, nodes: int) -> Json:
    n, address = _place(s, p, nodes)
    name = f"app-{s}-{p}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": f"team-{s % 100}",
            "uid": f"10000000-0000-4000-8000-{s * PER_SERVICE + p:012}",
            "labels": {"app": f"app-{s}", "pod-template-hash": "6d5f55986b"},
            "annotations": {"example.com/checksum": f"{s:064x}"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"app-{s}-6d5f55986b",
                    "controller": True,
                    "uid": f"20000000-0000-4000-8000-{s:012}",
                }
            ],
        },
        "spec": {
            "nodeName": f"node-{n:05}",
            "serviceAccountName": "default",
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{why}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
                for why in ("not-ready", "unreachable")
            ],
            "containers": [_container(s)],
            "volumes": [
                {
                    "name": "kube-api-access",
                    "projected": {
                        "defaultMode": 420,
                        "sources": [
                            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                            {"configMap": {"name": "kube-root-ca.crt"}},
                        ],
                    },
                }
            ],
        },
        "status": {
            "phase": "Running",
            "hostIP": f"192.168.{n // 250}.{n % 250 + 1}",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "qosClass": "Burstable",
            "startTime": "2026-01-01T00:00:00Z",
            "conditions": [
                _condition(kind, "True")
                for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
            ],
            "containerStatuses": [
                {
                    "name": "server",
                    "containerID": f"containerd://{s * PER_SERVICE + p:064x}",
                    "image": f"registry.example.com/team/app-{s}:1.2.3",
                    "imageID": f"registry.example.com/team/app-{s}@sha256:{s:064x}",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:05Z"}},
                }
            ],
        },
    }


def _container(s: int) -> Json:
    probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}
    return {
        "name": "server",
        "image": f"registry.example.com/team/app-{s}:1.2.3",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": f"SETTING_{i}", "value": f"value-{i}"} for i in range(2)],
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "readinessProbe": probe,
        "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "1Gi"}},
        "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [
            {
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                "name": "kube-api-access",
                "readOnly": True,
            }
        ],
    }
