"""Containers as dockerd 20.10.24 writes them, with what a test changes."""

import json
from collections.abc import Mapping
from typing import Any

VERSION = json.dumps(
    {
        "Platform": {"Name": ""},
        "Components": [
            {"Name": "Engine", "Version": "20.10.24+dfsg1", "Details": {"ApiVersion": "1.41"}},
            {"Name": "containerd", "Version": "1.6.20~ds1", "Details": {"GitCommit": "1.6.20~ds1"}},
        ],
        "Version": "20.10.24+dfsg1",
        "ApiVersion": "1.41",
    }
).encode()


def cid(number: int) -> str:
    """The id of the container of that number."""
    return f"{number:064x}"


def network(address: str = "", address6: str = "") -> dict[str, Any]:
    return {
        "IPAMConfig": None,
        "Links": None,
        "EndpointID": "",
        "IPAddress": address,
        "IPPrefixLen": 16 if address else 0,
        "GlobalIPv6Address": address6,
        "GlobalIPv6PrefixLen": 64 if address6 else 0,
        "MacAddress": "",
        "DriverOpts": None,
    }


def listed(
    number: int,
    *names: str,
    mode: str = "default",
    state: str = "running",
    labels: Mapping[str, str] | None = None,
    networks: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An item of /containers/json."""
    return {
        "Id": cid(number),
        "Names": [f"/{name}" for name in names],
        "Image": "busybox",
        "Command": "sleep 9999",
        "Created": 1795549936,
        "Ports": [],
        "Labels": dict(labels or {}),
        "State": state,
        "Status": "Up 2 minutes",
        "HostConfig": {"NetworkMode": mode},
        "NetworkSettings": {"Networks": dict(networks or {})},
        "Mounts": [],
    }


def inspected(
    number: int,
    pid: int,
    *,
    mode: str = "default",
    networks: Mapping[str, Any] | None = None,
    runtime: str = "runc",
) -> dict[str, Any]:
    """The answer to /containers/ID/json."""
    return {
        "Id": cid(number),
        "Created": "2026-11-24T19:52:16.123456789Z",
        "State": {"Status": "running", "Running": pid > 0, "Paused": False, "Pid": pid},
        "ResolvConfPath": f"/var/lib/docker/containers/{cid(number)}/resolv.conf",
        "Name": "/name",
        "HostConfig": {"NetworkMode": mode, "Runtime": runtime},
        "NetworkSettings": {
            "SandboxKey": f"/var/run/docker/netns/{number:012x}",
            "IPAddress": "",
            "Networks": dict(networks or {}),
        },
    }


def pod_labels(name: str, namespace: str, uid: str, **others: str) -> dict[str, str]:
    """Those of dockershim and cri-dockerd."""
    pod = {"name": name, "namespace": namespace, "uid": uid}
    return {f"io.kubernetes.pod.{key}": value for key, value in pod.items()} | {
        f"io.kubernetes.{key.replace('_', '.')}": value for key, value in others.items()
    }


def answers(
    *containers: Mapping[str, Any], details: Mapping[int, Mapping[str, Any]] | None = None
) -> dict[str, bytes]:
    """Bodies by target."""
    return {
        "/version": VERSION,
        "/containers/json?all=1": json.dumps(containers).encode(),
    } | {
        f"/containers/{cid(number)}/json": json.dumps(found).encode()
        for number, found in (details or {}).items()
    }
