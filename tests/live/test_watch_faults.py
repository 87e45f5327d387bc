import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kubehop.live.reflector import Reflector
from kubehop.live.watch import follow_cluster
from tests.live import recorded
from tests.live.api_server import Cluster, Fault, Handler, answer, drop, hang, serving, status
from tests.live.certificates import Certificates
from tests.live.conftest import Write
from tests.live.following import QUICK, following
from tests.live.watched import (
    Api,
    begin,
    chunk,
    cut_chunk,
    cut_line,
    end,
    error_event,
    expired,
    watched_api,
)


@pytest.fixture
def api(cluster: Cluster, write: Write) -> Api:
    write(cluster)
    return watched_api(cluster)


def then(*steps: Callable[[Handler], None]) -> Fault:
    """A watch of one's own."""

    def fault(handler: Handler) -> None:
        begin(handler)
        for step in steps:
            step(handler)

    return fault


# Connections that break


@pytest.mark.parametrize(
    "cut", [cut_line, cut_chunk, drop, end], ids=lambda fault: str(fault.__name__)
)
def test_a_watch_that_breaks_off_goes_on_where_it_was(
    api: Api, cluster: Cluster, cut: Fault
) -> None:
    services = api.services
    services.next_watches.append(lambda handler: services.watch_until(handler, 2, cut))
    with following() as told:
        for number in range(4):
            services.put(f"new-{number}")
        told.wait(lambda: "new-3" in told.names())
        assert told.lines == []
        assert told.gone() == set()
    versions = [each.query.get("resourceVersion") for each in cluster.asked(recorded.SERVICES)]
    assert versions == [None, "3", "5"]


def test_a_bookmark_is_where_the_next_watch_begins(api: Api, cluster: Cluster) -> None:
    with following() as told:
        api.services.bookmark(77)
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        api.services.bookmark(99)
        time.sleep(0.05)
        api.services.hang_up()
        api.services.put("newer")
        told.wait(lambda: "newer" in told.names())
    assert cluster.asked(recorded.SERVICES)[-1].query["resourceVersion"] == "99"
    assert len([e for e in cluster.asked(recorded.SERVICES) if "watch" not in e.query]) == 1


def test_an_event_that_comes_in_pieces(api: Api) -> None:
    line = b'{"type":"ADDED","object":{"metadata":{"name":"new","namespace":"default"}}}\n'

    def slowly(handler: Handler) -> None:
        for at in range(len(line)):
            chunk(handler, line[at : at + 1])
            time.sleep(0.001)

    api.services.next_watches.append(then(slowly, hang))
    with following() as told:
        told.wait(lambda: "new" in told.names())


def test_a_stream_without_chunks(api: Api) -> None:
    """As a proxy that speaks HTTP/1.0 makes it: the end is the end of the connection."""

    def plain(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b'{"type":"ADDED","object":{"metadata":{"name":"new"}}}\n')
        hang(handler)

    api.services.next_watches.append(plain)
    with following() as told:
        told.wait(lambda: "new" in told.names())


def test_a_silent_connection_is_left(api: Api, cluster: Cluster) -> None:
    impatient = replace(QUICK, watch_seconds=0, silent_seconds=0.05)
    api.services.next_watches.append(then(hang))
    with following(watch=impatient) as told:
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        assert told.gone() == set()


def test_a_watch_that_ends_as_it_begins_is_not_asked_for_without_pause(
    api: Api, cluster: Cluster
) -> None:
    api.services.next_watches.extend([then(end)] * 1_000)
    with following(watch=replace(QUICK, backoff_limit_seconds=0.05)) as told:
        told.wait(lambda: bool(told.lines))
        time.sleep(0.2)
        assert len(cluster.asked(recorded.SERVICES)) < 20
    assert told.lines[0] == "watch of services: ends as soon as it begins"


def test_nobody_listens_at_first(write: Write) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    write(f"http://127.0.0.1:{port}")
    with following(start=0.2) as told:
        assert told.synced == frozenset()
        assert len(told.lines) == 1, "one line, though every kind has the trouble"
        assert told.lines[0].startswith(f"http://127.0.0.1:{port}: ")
        assert "Connection refused" in told.lines[0]
        with serving(recorded.cluster(), port=port) as cluster:
            watched_api(cluster)
            told.wait(lambda: len(told.synced) == 3)
            told.wait(lambda: told.lines[-1] == f"over: {told.lines[0]}")
            assert len(told.lines) == 2


def test_a_hanging_api_delays_neither_start_nor_end(api: Api) -> None:
    api.services.next_lists.append(hang)
    began = time.monotonic()
    with following(start=0.05) as told:
        assert "services" not in told.synced
    assert told.ended - began < 1.5, "the request itself goes on for 2 s"


# What the server no longer knows


@pytest.mark.parametrize(
    "fault",
    [then(expired, end), status(410), then(expired, hang)],
    ids=["event", "answer", "event, and the stream stays"],
)
def test_an_expired_version_is_listed_again_without_a_gap(api: Api, fault: Fault) -> None:
    services = api.services

    def missed(handler: Handler) -> None:
        """What no watch tells: it happens while there is none."""
        services.delete("db")
        services.put("new")
        services.put("web", spec={"clusterIP": "10.43.0.99"})
        services.forget()
        fault(handler)

    services.next_watches.append(missed)
    with following() as told:
        told.wait(lambda: told.names() == {"web", "new", "default"})
        assert told.gone() <= {"db"}, "what went before the start was over is not there at all"
        assert "10.43.0.99" in str(told.objects["Service", "default", "web"])
        services.put("newer")
        told.wait(lambda: "newer" in told.names())


def test_a_change_while_the_list_is_read_is_not_lost(api: Api) -> None:
    services = api.services
    for number in range(600):
        services.put(f"web-{number}")

    def changed_between_pages(handler: Handler) -> None:
        services.list(handler)
        services.put("late")
        services.put("web-599", spec={"clusterIP": "10.43.9.9"})

    services.next_lists.append(changed_between_pages)
    with following() as told:
        told.wait(lambda: "late" in told.names())
        key = ("Service", "default", "web-599")
        told.wait(lambda: "10.43.9.9" in str(told.objects[key]))
        assert told.gone() == set()


def test_a_server_that_always_forgets_is_not_asked_without_pause(
    api: Api, cluster: Cluster
) -> None:
    api.services.next_watches.extend([then(expired, end)] * 1_000)
    with following(watch=replace(QUICK, backoff_limit_seconds=0.05)) as told:
        time.sleep(0.3)
        assert len(cluster.asked(recorded.SERVICES)) < 40
        assert told.gone() == set()


# Nonsense


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"garbage\n", "watch of services: not a watch event: "),
        (b"[]\n", "not a watch event"),
        (b'{"type":"ADDED"}\n', "not a watch event"),
        (b'{"type":"ADDED","object":{}}\n', "an object without a name"),
        (b'{"type":"NEWS","object":{}}\n', 'type "NEWS"'),
        (b'{"type":"ADDED","object":"\xff"}\n', "not a watch event"),
        (b'{"type":"ADDED","object":' + b"[" * 3_000 + b"\n", "not a watch event"),
        (b" " * 5_000, "watch of services: a watch event of more than 4096 bytes"),
        (error_event(500, "etcd is away"), "watch of services: etcd is away"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_nonsense_in_a_watch_is_one_line_and_a_new_list(
    api: Api, cluster: Cluster, line: bytes, words: str
) -> None:
    with following(watch=replace(QUICK, line_bytes=4096)) as told:
        api.services.put("before")
        api.services.say(line)
        told.wait(lambda: len(told.lines) == 1)
        assert words in told.lines[0]
        api.services.put("new")
        told.wait(lambda: {"before", "new"} <= told.names())
        api.services.bookmark(99)
        told.wait(lambda: told.lines[1:] == [f"over: {told.lines[0]}"])
        assert told.gone() == set()
    lists = [each for each in cluster.asked(recorded.SERVICES) if "watch" not in each.query]
    assert len(lists) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answer(b"<html>", "text/html"), "so this is not the Kubernetes API"),
        (status(503, "later"), "answered 503 Service Unavailable: later"),
        (status(429, "slow down", Retry_After="0"), "slow down"),
        (status(400, "what?"), "answered 400 Bad Request: what?"),
    ],
)
def test_an_answer_that_is_no_watch(api: Api, fault: Fault, words: str) -> None:
    api.services.next_watches.extend([fault, fault])
    with following() as told:
        told.wait(lambda: bool(told.lines))
        assert words in told.lines[0]
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        told.wait(lambda: told.lines[1:] == [f"over: {told.lines[0]}"])


def test_a_server_without_the_kind(api: Api) -> None:
    api.slices.next_lists.extend([status(404)] * 1_000)
    with following(start=0.1) as told:
        assert "serves no endpointslices" in told.lines[0]
        assert "endpointslices" not in told.synced


# Bounds


def test_a_slow_reader_loses_nothing(api: Api) -> None:
    """The queue is full, then the sockets are: the threads wait and the server does."""
    with following(watch=replace(QUICK, queue=1, join_seconds=0)) as told:
        with told.held():
            for number in range(300):
                api.services.put(f"new-{number}")
            time.sleep(0.1)
        told.wait(lambda: len(told.names()) == 303)
        assert max(len(change.put) for change in told.changes[1:]) < 300


def test_a_bug_does_not_go_unseen(
    api: Api, monkeypatch: pytest.MonkeyPatch, write: Write, cluster: Cluster
) -> None:
    def broken(self: Reflector) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Reflector, "run", broken)
    source = follow_cluster(print, pods=bool)
    with pytest.raises(ZeroDivisionError):
        source.start(1)
    source.close()


# TLS


def test_over_tls(certificates: Certificates, write: Write) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    with serving(recorded.cluster(), context) as cluster:
        api = watched_api(cluster)
        write(cluster, **{"certificate-authority": str(certificates.authority)})
        with following() as told:
            api.services.put("new")
            told.wait(lambda: "new" in told.names())
            api.services.hang_up()
            api.services.put("newer")
            told.wait(lambda: "newer" in told.names())
            assert told.lines == []
