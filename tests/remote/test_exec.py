"""Exec over real WebSockets: both protocols, TLS, proxies, whose headers, every way it can end."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from kubehop.live import access
from kubehop.model.errors import ClusterError
from kubehop.remote.requests import Remote
from kubehop.remote.websocket import ExecLimits, RefusedUpgradeError, execute
from tests.live.api_server import serving
from tests.live.certificates import Certificates
from tests.live.conftest import Write
from tests.remote import api, websockets
from tests.remote.conftest import Image, pod

PATH = "/api/v1/namespaces/shop/pods/web/exec?container=app&stdout=true&stderr=true&command="
SHORT = ExecLimits(seconds=5, connect_seconds=2)


@pytest.fixture
def served(cluster: api.Remote, image: Image) -> api.Remote:
    cluster.pods["shop/web"] = pod()
    cluster.images["app"] = image("app", "sh", "cat")
    return cluster


def shell(script: str) -> str:
    from urllib.parse import quote

    return f"{PATH}sh&command=-c&command={quote(script)}"


@pytest.mark.parametrize("version", ["v5", "v4"])
@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_output_and_exit_code(served: api.Remote, remote: Remote, version: str, code: int) -> None:
    served.protocols = (f"{version}.channel.k8s.io",)
    done = execute(remote.access, shell(f"echo out; echo err >&2; exit {code}"), SHORT)
    assert (done.stdout, done.stderr, done.code) == (b"out\n", b"err\n", code)


def test_output_of_many_frames_is_whole(served: api.Remote, remote: Remote) -> None:
    done = execute(
        remote.access, shell("i=0; while [ $i -lt 9000 ]; do echo line$i; i=$((i+1)); done")
    )
    assert done.stdout.split() == [b"line%d" % i for i in range(9000)]
    assert done.code == 0


def test_a_program_that_is_not_there(served: api.Remote, remote: Remote) -> None:
    done = execute(remote.access, f"{PATH}nothing", SHORT)
    assert done.code is None
    assert "executable file not found" in done.why


def test_too_much_output_is_left(served: api.Remote, remote: Remote) -> None:
    served.raw_exec = endless
    started = time.monotonic()
    done = execute(remote.access, shell(""), ExecLimits(seconds=20, output_bytes=100_000))
    assert (len(done.stdout), done.cut, done.code) == (100_000, True, None)
    assert time.monotonic() - started < 15


def endless(handler: api.ApiHandler) -> None:
    handler.upgrade()
    try:
        while not handler.cluster.close.is_set():
            handler.send(1, b"x" * 8192)
    except OSError:
        pass


@pytest.mark.parametrize("drip", [False, True])
def test_silence_and_dripping_end_by_time(served: api.Remote, remote: Remote, drip: bool) -> None:
    def slow(handler: api.ApiHandler) -> None:
        handler.upgrade()
        try:
            while not handler.cluster.close.wait(0.05):
                if drip:
                    handler.send(1, b".")
        except OSError:
            pass

    served.raw_exec = slow
    done = execute(remote.access, shell(""), ExecLimits(seconds=0.5))
    assert done.late
    assert done.why == "no answer within 0.5 s"


def ending(data: bytes) -> object:
    def end(handler: api.ApiHandler) -> None:
        handler.upgrade()
        handler.send(1, b"some")
        handler.wfile.write(data)

    return end


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the connection ended before the program did"),
        (websockets.frame(8, b""), "the connection ended before the program did"),
        (websockets.frame(2, b"\x03not json") + websockets.frame(8, b""), "cannot be read"),
        (websockets.frame(2, b"\x03{}") + websockets.frame(8, b""), "failed"),
        (
            websockets.frame(2, b"\x03" + json.dumps(api.exit_status(0)).encode())[:20],
            "ended before",
        ),
        (
            websockets.frame(
                2,
                b'\x03{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"-1"}]}}',
            )
            + websockets.frame(8, b""),
            "failed",
        ),
    ],
)
def test_ends_that_tell_no_exit_code(
    served: api.Remote, remote: Remote, data: bytes, why: str
) -> None:
    served.raw_exec = ending(data)  # type: ignore[assignment]
    done = execute(remote.access, shell(""), SHORT)
    assert done.code is None
    assert why in done.why


def test_unknown_channels_and_empty_messages_are_skipped(
    served: api.Remote, remote: Remote
) -> None:
    def odd(handler: api.ApiHandler) -> None:
        handler.upgrade()
        for channel in (0, 4, 9, 255):
            handler.send(channel, b"\x01")
        handler.wfile.write(websockets.frame(2, b""))
        handler.send(1, b"out")
        handler.send(3, json.dumps(api.exit_status(0)).encode())
        handler.goodbye()

    served.raw_exec = odd
    done = execute(remote.access, shell(""), SHORT)
    assert (done.stdout, done.code) == (b"out", 0)


def test_frames_that_are_none(served: api.Remote, remote: Remote) -> None:
    served.raw_exec = ending(b"\xf2\x05hello")  # type: ignore[assignment]
    with pytest.raises(ClusterError, match="not a WebSocket any more"):
        execute(remote.access, shell(""), SHORT)


@pytest.mark.parametrize("code", [302, 403, 404, 500])
def test_refused_upgrades_and_redirects(served: api.Remote, remote: Remote, code: int) -> None:
    """A redirect is not followed: the token would go with it."""

    def refuse(handler: api.ApiHandler) -> None:
        handler.close_connection = True
        handler.answer({"message": "as told"}, code, Location=f"{served.url}/elsewhere")

    served.raw_exec = refuse
    with pytest.raises(ClusterError) as caught:
        execute(remote.access, shell(""), SHORT)
    if code != 302:
        assert isinstance(caught.value, RefusedUpgradeError)
        assert caught.value.status == code
        assert "as told" in str(caught.value)
    assert "abc" not in str(caught.value)
    assert len(served.requests) == 1


def test_credentials_refused(served: api.Remote, remote: Remote) -> None:
    served.raw_exec = lambda handler: handler.status(401, "Unauthorized")
    with pytest.raises(ClusterError, match='does not accept the credentials of context "dev"'):
        execute(remote.access, shell(""), SHORT)


def test_no_protocol_in_common(served: api.Remote, remote: Remote) -> None:
    served.protocols = ("channel.k8s.io",)
    with pytest.raises(RefusedUpgradeError, match="400"):
        execute(remote.access, shell(""), SHORT)


def test_nobody_listens(write: Write) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        write(f"http://127.0.0.1:{taken.getsockname()[1]}")
        way = access.connect()
        with pytest.raises(ClusterError, match="refused"):
            execute(way, shell(""), SHORT)
        way.close()


def test_impersonation_goes_with_it(served: api.Remote, write: Write) -> None:
    """Each group in a header of its own: joined they would be one group."""
    write(served, {"token": "abc", "as": "bob", "as-groups": ["a", "b"]})
    way = access.connect()
    assert execute(way, shell("exit 0"), SHORT).code == 0
    way.close()
    sent = served.requests[0].headers
    assert sent["Authorization"] == "Bearer abc"
    assert sent["Impersonate-User"] == "bob"
    assert sent.get_all("Impersonate-Group") == ["a", "b"]
    assert sent["Origin"] is None


@pytest.fixture
def secure(certificates: Certificates, image: Image) -> Iterator[api.Remote]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.load_verify_locations(certificates.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    cluster = api.Remote(images={"app": image("app", "sh")}, pods={"shop/web": pod()})
    with serving(cluster, context, kind=api.ApiHandler):
        yield cluster


def test_tls_with_a_client_certificate(
    secure: api.Remote, write: Write, certificates: Certificates
) -> None:
    user = {
        "client-certificate": str(certificates.client),
        "client-key": str(certificates.client_key),
    }
    write(secure, user, **{"certificate-authority": str(certificates.authority)})
    way = access.connect()
    assert execute(way, shell("exit 4"), SHORT).code == 4
    way.close()


def test_tls_server_name(secure: api.Remote, write: Write, certificates: Certificates) -> None:
    fields = {"certificate-authority": str(certificates.authority)}
    write(secure, **fields, **{"tls-server-name": "kubernetes.default"})
    way = access.connect()
    assert execute(way, shell("exit 0"), SHORT).code == 0
    way.close()


def test_an_unknown_authority_is_refused(secure: api.Remote, write: Write) -> None:
    write(secure)
    way = access.connect()
    with pytest.raises(ClusterError, match="certificate verify failed"):
        execute(way, shell("exit 0"), SHORT)
    way.close()
    assert not secure.requests


@pytest.mark.parametrize("tls", [False, True])
def test_through_a_proxy(
    request: pytest.FixtureRequest, write: Write, certificates: Certificates, tls: bool
) -> None:
    served = request.getfixturevalue("secure" if tls else "served")
    fields = {"certificate-authority": str(certificates.authority)} if tls else {}
    with Proxy() as proxy:
        write(served, **fields, **{"proxy-url": proxy.url})
        way = access.connect()
        assert execute(way, shell("exit 5"), SHORT).code == 5
        way.close()
    assert proxy.asked == [["CONNECT", served.url.partition("//")[2]]]


class Proxy:
    """An HTTP proxy that knows CONNECT alone."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve)]

    def __enter__(self) -> "Proxy":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        client, _ = self._listening.accept()
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            line = head.decode().splitlines()[0]
            self.asked.append(line.split()[:2])
            host, port = line.split()[1].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, client))
                back.start()
                _copy(client, server)
                back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
