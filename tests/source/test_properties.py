"""What holds for all objects, and what no bytes can do."""

import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubehop.model.errors import InputError
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS
from kubehop.source import snapshot
from kubehop.source.read import read
from tests.shared_files import shared
from tests.source.generated import objects

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def unique(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One object of each kind, namespace and name: two would be a contradiction."""
    seen: dict[tuple[object, ...], dict[str, Any]] = {}
    for each in found:
        metadata = each["metadata"]
        scope = (metadata.get("namespace") or "default") if KINDS[each["kind"]].namespaced else ""
        seen.setdefault((each["kind"], scope, metadata["name"]), each)
    return list(seen.values())


MANY = st.lists(objects(), max_size=6).map(unique)


def of(text: str) -> Inventory:
    return read([("f", text.encode())])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_its_own_snapshot(kind: str) -> None:
    @settings(QUICK, max_examples=15)
    @given(objects(KINDS[kind]))
    def check(found: dict[str, Any]) -> None:
        inventory = of(json.dumps(found))
        assert len(inventory.objects[kind]) == 1
        assert read([("s", snapshot.write(inventory))]) == inventory

    check()


@QUICK
@given(MANY)
def test_snapshots_of_many(found: list[dict[str, Any]]) -> None:
    inventory = of(json.dumps(found))
    written = snapshot.write(inventory)
    assert read([("s", written)]) == inventory
    assert snapshot.write(read([("s", written)])) == written


@QUICK
@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_objects_and_files_is_nothing(
    found: list[dict[str, Any]], shuffle: random.Random
) -> None:
    other = [*found, *found[:2]]
    shuffle.shuffle(other)
    files = [(str(at), json.dumps(each).encode()) for at, each in enumerate(other)]
    assert read(files) == of(json.dumps(found))


@QUICK
@given(MANY)
def test_yaml_and_json_are_the_same(found: list[dict[str, Any]]) -> None:
    as_yaml = yaml.dump_all(found, Dumper=yaml.CSafeDumper, allow_unicode=False)
    assert of(as_yaml) == of("\n".join(map(json.dumps, found)))


def only_input_errors(data: bytes) -> None:
    try:
        read([("f", data)])
    except InputError as error:
        line = str(error)
    else:
        return
    assert line.isprintable()
    assert len(line) < 2000


@settings(QUICK, max_examples=400)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    only_input_errors(data)


PIECES = [
    *(b"{", b"}", b"[", b"]", b'"', b"'", b":", b": ", b",", b"\n", b"- ", b"  ", b"\t", b"---\n"),
    *(b"&a ", b"*a", b"<<: ", b"!!str ", b"|\n", b"# ", b"? ", b"null", b"0x", b"1e9", b".nan"),
    *(b'"kind":"List"', b'"apiVersion":"v1"', b'"items":[', b"kind: Pod\n", b"apiVersion: v1\n"),
    *(b"metadata: {name: a}\n", b"spec: ", b"==== START logs for container a ====\n", b"\\ud800"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\xff", b"{{ .Values.x }}", b"\xe2\x80\xa8", b"\r"),
]


@settings(QUICK, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
def test_pieces_of_manifests(data: bytes) -> None:
    only_input_errors(data)


JUNK = st.sampled_from(PIECES) | st.binary(max_size=4)


@pytest.mark.parametrize(
    "path",
    ["minikube/services_list.yaml", "minikube-calico/ns.yaml", "minikube-calico/netpols.yaml"],
)
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_broken_real_files(path: str, form: str) -> None:
    whole = shared(f"data/{path}").read_bytes()
    if form == "json":
        documents = yaml.load_all(whole, Loader=yaml.CSafeLoader)
        whole = "\n".join(json.dumps(each, default=str) for each in documents).encode()
    start = st.integers(0, len(whole))

    @settings(QUICK, max_examples=60)
    @given(start, st.integers(0, 30) | start, JUNK)
    def check(at: int, length: int, junk: bytes) -> None:
        only_input_errors(whole[:at] + junk + whole[at + length :])

    check()


@pytest.mark.parametrize(
    "value", [None, 3, -1, 2**70, 1.5, True, "x", "\x1b", [], [None], {}, [{}]]
)
def test_any_field_of_a_real_object_may_be_anything(value: object) -> None:
    """Each field in turn, to the last leaf."""
    data = shared("data/minikube/pods_list.yaml").read_bytes()
    pod = yaml.load(data, Loader=yaml.CSafeLoader)["items"][0]
    for path in paths(pod, ()):
        only_input_errors(json.dumps(replaced(pod, path, value), default=str).encode())


def paths(value: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inside: list[tuple[Any, Any]] = list(value.items())
    else:
        inside = list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(each for key, entry in inside for each in paths(entry, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy
