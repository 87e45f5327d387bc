"""Snapshots: all of the network, nothing of anybody's secrets, and the same when read again."""

import json

import msgspec
import pytest

from kubehop.model.errors import InputError
from kubehop.model.inventory import Inventory
from kubehop.source import snapshot
from kubehop.source.read import read
from tests.shared_files import shared

SECRET = "pl4nt3d"

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "labels": {"app": "web"},
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": SECRET,
            "vault.hashicorp.com/token": SECRET,
        },
        "managedFields": [{"manager": SECRET}],
        "uid": SECRET,
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": SECRET}
        ],
    },
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": f"registry.example/{SECRET}",
                "command": [SECRET],
                "args": [f"--password={SECRET}"],
                "env": [{"name": "TOKEN", "value": SECRET}],
                "envFrom": [{"secretRef": {"name": SECRET}}],
                "ports": [{"containerPort": 80, "name": "http"}],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "a", "value": SECRET}]}},
                "volumeMounts": [{"name": SECRET, "mountPath": f"/{SECRET}"}],
            }
        ],
        "initContainers": [{"name": "init", "env": [{"name": SECRET, "value": SECRET}]}],
        "imagePullSecrets": [{"name": SECRET}],
        "serviceAccountName": SECRET,
        "volumes": [{"name": SECRET, "secret": {"secretName": SECRET}}],
    },
    "status": {
        "podIP": "10.42.0.9",
        "phase": "Running",
        "message": SECRET,
        "containerStatuses": [{"name": "web", "imageID": SECRET}],
        "conditions": [{"type": "Ready", "status": "True", "message": SECRET}],
    },
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "annotations": {"a": SECRET}},
    "spec": {"template": {"metadata": {"annotations": {"a": SECRET}}, "spec": POD["spec"]}},
}
OTHERS = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": SECRET}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": SECRET}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": SECRET}, "data": {"a": "b"}},
]
COREDNS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "coredns", "namespace": "kube-system"},
    "data": {"Corefile": ".:53 {\n    errors\n}\n"},
}


def inventory(*objects: object) -> Inventory:
    return read([("f", json.dumps(objects).encode())])


def again(data: bytes) -> Inventory:
    return read([("snapshot.json", data)])


def test_nothing_secret_is_in_it() -> None:
    written = snapshot.write(inventory(POD, DEPLOYMENT, COREDNS, *OTHERS))
    assert SECRET.encode() in json.dumps([POD, DEPLOYMENT, OTHERS]).encode()
    assert SECRET.encode() not in written
    for kept in (b'"shop"', b'"10.42.0.9"', b'"containerPort": 80', b"Corefile"):
        assert kept in written


SECRETIVE = (b'"env"', b'"image"', b'"args"', b'"command"', b'"volumes"', b'"volumeMounts"')


@pytest.mark.parametrize("path", ["minikube/pods_list.yaml", "minikube-calico/pods.yaml"])
def test_nothing_secret_of_real_pods_is_in_it(path: str) -> None:
    data = shared(f"data/{path}").read_bytes()
    written = snapshot.write(read([(path, data)]))
    assert all(word[1:-1] in data for word in SECRETIVE if word != b'"args"')
    assert not [word for word in SECRETIVE if word in written]
    assert b"sha256:" in data
    assert b"sha256:" not in written


def test_it_can_be_read_by_people() -> None:
    assert snapshot.write(inventory(COREDNS)).decode() == (
        "{\n"
        '  "apiVersion": "kubehop/v1",\n'
        '  "kind": "Snapshot",\n'
        '  "complete": [],\n'
        '  "unknown": [],\n'
        '  "items": [\n'
        "    {\n"
        '      "apiVersion": "v1",\n'
        '      "kind": "ConfigMap",\n'
        '      "metadata": {\n'
        '        "name": "coredns",\n'
        '        "namespace": "kube-system"\n'
        "      },\n"
        '      "data": {\n'
        '        "Corefile": ".:53 {\\n    errors\\n}\\n"\n'
        "      }\n"
        "    }\n"
        "  ]\n"
        "}\n"
    )


def test_what_is_complete_and_unknown_is_kept() -> None:
    known = inventory(POD, COREDNS)
    full = Inventory(known.objects, frozenset({"Pod", "Service"}), ("no right to list nodes",))
    assert again(snapshot.write(full)) == full
    assert again(snapshot.write(Inventory())) == Inventory()
    two = read([("a", snapshot.write(full)), ("b", snapshot.write(full))])
    assert two == full


def test_the_same_bytes_whatever_the_order_of_labels() -> None:
    one = {**POD, "metadata": {"name": "a", "labels": {"a": "1", "b": "2"}}}
    other = {**POD, "metadata": {"name": "a", "labels": {"b": "2", "a": "1"}}}
    assert snapshot.write(inventory(one)) == snapshot.write(inventory(other))


def test_a_snapshot_of_a_snapshot_is_the_same() -> None:
    written = snapshot.write(inventory(POD, DEPLOYMENT, COREDNS))
    assert snapshot.write(again(written)) == written
    assert msgspec.json.decode(written)["kind"] == "Snapshot"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"apiVersion": "kubehop/v2"},
            's: a snapshot of version "kubehop/v2"; this kubehop reads kubehop/v1'
            " and needs an upgrade for newer ones",
        ),
        ({"complete": 3}, "s: Snapshot: complete: expected list, got int 3"),
        ({"items": 3}, "s: items: expected list"),
        ({"items": [{"kind": "Pod"}]}, "s: Pod: items[0]: has no apiVersion"),
    ],
)
def test_refused(fields: dict[str, object], message: str) -> None:
    content = {"apiVersion": "kubehop/v1", "kind": "Snapshot", **fields}
    with pytest.raises(InputError) as error:
        read([("s", json.dumps(content).encode())])
    assert str(error.value) == message
