"""The objects of `kubehop pod collect`, as values: what is needed once, and a Job for a node. Pure.

What a Job may do and why: uid 0, because capabilities of a container are effective for root only;
SYS_ADMIN to enter network namespaces (setns(2)); SYS_PTRACE to open /proc/PID/ns/net and
/proc/PID/root of others (ptrace(2), "access mode checking"). hostPID shows all processes,
hostNetwork makes the Job's own network namespace the node's. An AppArmor or SELinux profile would
refuse the look at others that the two capabilities allow.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

NAMESPACE = NAME = "kubehop-collect"
IMAGE = "kubehop:latest"
CONTAINER = "collect"
RUN_LABEL = "kubehop/run"
LABELS = {"app.kubernetes.io/name": "kubehop", "app.kubernetes.io/managed-by": "kubehop"}
_NAME_LENGTH = 63
"""A Job's name becomes a label of its pods: RFC 1123 label."""
_RULES = (
    ("batch", "jobs", ("create", "delete", "get", "list")),
    ("", "pods", ("get", "list")),
    ("", "pods/log", ("get",)),
)
_NODE_RULES = (("", "nodes", ("get", "list")),)
RULES = (*_RULES, *_NODE_RULES)


@dataclass(frozen=True, slots=True)
class Settings:
    """What all Jobs of one run have in common; `run` is a word that is new each time.

    `seconds` is how long a Job may run, `kept_seconds` how long one that ended stays if nobody
    deletes it. `cri_socket` is a path on the node whose runtime may be asked, or "".
    """

    run: str
    namespace: str = NAMESPACE
    image: str = IMAGE
    service_account: str = NAME
    seconds: int = 120
    kept_seconds: int = 300
    cri_socket: str = ""


def job_name(node: str, run: str) -> str:
    """A label that is the node's alone: names of nodes may have dots and 253 characters."""
    digest = hashlib.sha256(node.encode()).hexdigest()[:8]
    tail = f"-{digest}-{run}"
    slug = re.sub(r"[^a-z0-9]+", "-", node.lower()).strip("-")
    return "kubehop-" + slug[: _NAME_LENGTH - len("kubehop-") - len(tail)].rstrip("-") + tail


def job(node: str, settings: Settings) -> Json:
    """The Job that looks at one node."""
    labels = {**LABELS, RUN_LABEL: settings.run}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(node, settings.run),
            "namespace": settings.namespace,
            "labels": labels,
            "annotations": {"kubehop/node": node},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": settings.seconds,
            "ttlSecondsAfterFinished": settings.kept_seconds,
            "template": {"metadata": {"labels": labels}, "spec": _pod(node, settings)},
        },
    }


def _pod(node: str, settings: Settings) -> Json:
    return {
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "restartPolicy": "Never",
        "hostNetwork": True,
        "hostPID": True,
        "dnsPolicy": "Default",
        "enableServiceLinks": False,
        "serviceAccountName": settings.service_account,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [_container(node, settings)],
        "volumes": [
            {"name": name, "hostPath": {"path": path, "type": kind}}
            for name, path, kind in _volumes(settings)
        ],
    }


def _container(node: str, settings: Settings) -> Json:
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["kubehop", "pod", "collect", "--here", "--node-name", node, "-o", "json"],
        "resources": {
            "requests": {"cpu": "10m", "memory": "64Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "runAsUser": 0,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_PTRACE"]},
            "appArmorProfile": {"type": "Unconfined"},
            "seccompProfile": {"type": "RuntimeDefault"},
            "seLinuxOptions": {"type": "spc_t"},
        },
        "volumeMounts": [_mount(name, path) for name, path, _ in _volumes(settings)],
    }


def _volumes(settings: Settings) -> tuple[tuple[str, str, str], ...]:
    """Name, path on the node and in the container, type of hostPath."""
    found = (
        ("netns", "/run/netns", "DirectoryOrCreate"),
        ("logs", "/var/log/pods", "DirectoryOrCreate"),
    )
    socket = settings.cri_socket
    return (*found, ("cri", socket, "Socket")) if socket else found


def _mount(name: str, path: str) -> Json:
    """Namespaces are mounted at /run/netns one by one, so those to come must come in too."""
    mount = {"name": name, "mountPath": path, "readOnly": True}
    return {**mount, "mountPropagation": "HostToContainer"} if name == "netns" else mount


def setup(namespace: str = NAMESPACE) -> tuple[Json, ...]:
    """What must be there once; `deploy/collect.yaml` is this.

    The Jobs' ServiceAccount has no right at all. The Role is for whoever runs `pod collect`: the
    members of the group kubehop-collect, until somebody else is bound to it.
    """
    return (
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {**LABELS, "pod-security.kubernetes.io/enforce": "privileged"},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(namespace),
            "automountServiceAccountToken": False,
        },
        _role("Role", _RULES, namespace),
        _binding("RoleBinding", "Role", namespace),
        _role("ClusterRole", _NODE_RULES, ""),
        _binding("ClusterRoleBinding", "ClusterRole", ""),
    )


def _metadata(namespace: str) -> Json:
    place = {"namespace": namespace} if namespace else {}
    return {"name": NAME, **place, "labels": LABELS}


def _role(kind: str, rules: Sequence[tuple[str, str, tuple[str, ...]]], namespace: str) -> Json:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": _metadata(namespace),
        "rules": [
            {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
            for group, resource, verbs in rules
        ],
    }


def _binding(kind: str, role: str, namespace: str) -> Json:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": _metadata(namespace),
        "roleRef": {"apiGroup": group, "kind": role, "name": NAME},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": NAME}],
    }
