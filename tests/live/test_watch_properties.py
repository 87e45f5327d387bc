"""Whatever happens in a cluster and to the connections, what was told ends as the cluster is."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.live.api import Refused
from kubehop.live.events import Event, Lines, decode_event
from kubehop.live.store import Store
from kubehop.model.changes import Key, key_of
from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS
from kubehop.model.meta import Object, ObjectMeta
from kubehop.model.service import Service, ServiceSpec
from tests.live.api_server import Cluster, Handler, answer, drop, drop_in_body, serving, status
from tests.live.following import Following, following
from tests.live.watched import Watched, begin, chunk, cut_chunk, cut_line, end, expired, watched_api

NAMES = ("a", "b", "c")
Step = tuple[str, Any, Any]


def broken_watch(after: int, then: Any) -> Any:
    def fault(watched: Watched, handler: Handler) -> None:
        watched.watch_until(handler, after, then)

    return fault


def whole(fault: Any) -> Any:
    return lambda watched, handler: fault(handler)


def garbage(handler: Handler) -> None:
    chunk(handler, b"<html>\n")
    end(handler)


def gone(handler: Handler) -> None:
    expired(handler)
    end(handler)


def empty(handler: Handler) -> None:
    begin(handler)
    end(handler)


THEN = st.sampled_from([cut_line, cut_chunk, drop, end, garbage, gone])
WATCH_FAULTS = st.builds(broken_watch, st.integers(0, 3), THEN) | st.sampled_from(
    [whole(each) for each in (status(410), status(403), status(500), status(429), drop, empty)]
)
LIST_FAULTS = st.sampled_from(
    [status(500), status(403), status(429), drop, drop_in_body, answer(b'{"items": [')]
)
STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(NAMES), st.integers(1, 9)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("watch"), WATCH_FAULTS, st.none()),
    st.tuples(st.just("list"), LIST_FAULTS, st.none()),
    st.tuples(st.sampled_from(["forget", "hang_up", "bookmark", "settle"]), st.none(), st.none()),
)


class Served(NamedTuple):
    """One server for all examples; hypothesis prints it, so there is not much in it."""

    cluster: Cluster
    kubeconfig: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    kubeconfig = tmp_path_factory.mktemp("served") / "config"
    with serving(Cluster()) as cluster:
        content = {
            "clusters": [{"name": "dev", "cluster": {"server": cluster.url}}],
            "contexts": [{"name": "dev", "context": {"cluster": "dev"}}],
            "current-context": "dev",
        }
        kubeconfig.write_text(yaml.safe_dump(content))
        yield Served(cluster, kubeconfig)


def wait_for(told: Following, services: Watched) -> None:
    def same() -> bool:
        truth = {name: obj["spec"]["clusterIP"] for (_, name), obj in services.objects.items()}
        known = {
            obj.name: obj.spec.cluster_ip
            for obj in told.objects.values()
            if isinstance(obj, Service)
        }
        return truth == known

    told.wait(same)


def take(step: Step, services: Watched) -> None:
    what, first, second = step
    match what:
        case "put":
            services.put(first, spec={"clusterIP": f"10.43.0.{second}"})
        case "delete":
            if ("default", first) in services.objects:
                services.delete(first)
        case "watch":
            services.next_watches.append(lambda handler: first(services, handler))
        case "list":
            services.next_lists.append(first)
        case "bookmark":
            services.bookmark(services.version)
        case "forget":
            services.forget()
        case "hang_up":
            services.hang_up()


@settings(max_examples=60)
@given(before=st.lists(STEPS, max_size=4), steps=st.lists(STEPS, min_size=4, max_size=25))
def test_what_was_told_ends_as_the_cluster_is(
    served: Served, before: list[Step], steps: list[Step]
) -> None:
    services = watched_api(served.cluster).services
    services.delete("db")
    for step in before:
        take(step, services)
    with following(kubeconfig=served.kubeconfig) as told:
        for step in steps:
            take(step, services)
            if step[0] == "settle":
                wait_for(told, services)
        wait_for(told, services)
        services.hang_up()
        services.put("last", spec={"clusterIP": "10.43.0.1"})
        wait_for(told, services)
        assert "web" not in told.gone(), "it was there all the time"
    served.cluster.requests.clear()


# Without sockets


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_lines_do_not_depend_on_how_they_arrive(data: bytes, cuts: list[int]) -> None:
    lines, found = Lines(1_000), []
    marks = sorted({0, len(data), *(cut for cut in cuts if cut <= len(data))})
    for start, stop in pairwise(marks):
        found += lines.feed(data[start:stop])
    assert found == [line for line in data.split(b"\n")[:-1] if line.strip()]


@given(st.binary(), st.sampled_from([b"%s", b'{"type":"ADDED","object":%s}']))
def test_any_line_is_an_event_or_one_line_of_error(data: bytes, frame: bytes) -> None:
    try:
        found = decode_event(KINDS["Service"], frame % data)
    except InputError as error:
        found = Event("", problem=str(error))
    assert isinstance(found, Event | Refused)
    assert isinstance(found, Refused) or "\n" not in found.problem


def service(name: str, address: int) -> Service:
    spec = ServiceSpec(cluster_ip=f"10.43.0.{address}")
    return Service(metadata=ObjectMeta(name=name, namespace="default"), spec=spec)


OBJECTS = st.builds(service, st.sampled_from(NAMES), st.integers(1, 3))
LISTS = st.lists(OBJECTS, unique_by=lambda obj: obj.name)
EVENTS = st.lists(
    st.tuples(OBJECTS, st.booleans()).map(
        lambda pair: Event("1", key_of(pair[0]), pair[0] if pair[1] else None)
    )
)


@given(st.lists(LISTS | EVENTS))
def test_what_a_store_says_leads_to_what_it_holds(steps: list[Any]) -> None:
    store, truth = Store(), dict[Key, Object]()
    for step in steps:
        before = dict(truth)
        if all(isinstance(each, Object) for each in step):
            change = store.replace(step)
            truth = {key_of(obj): obj for obj in step}
        else:
            change = store.apply(step)
            for event in step:
                truth.pop(event.key, None)
                if event.obj:
                    truth[event.key] = event.obj
        for key in change.gone:
            before.pop(key, None)
        before.update((key_of(obj), obj) for obj in change.put)
        assert before == truth
