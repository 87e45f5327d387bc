import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kubehop.live import access
from kubehop.live.fetch import fetch
from kubehop.model.errors import ClusterError
from tests.live import recorded
from tests.live.api_server import Cluster, serving
from tests.live.certificates import Certificates
from tests.live.conftest import FAST, Write


def authorizations(cluster: Cluster) -> set[str | None]:
    return {request.headers["Authorization"] for request in cluster.requests}


def headers(cluster: Cluster, name: str) -> list[str]:
    return cluster.requests[0].headers.get_all(name) or []


def plugin(path: Path, body: str) -> dict[str, Any]:
    """A kubeconfig user with an exec plugin whose program is `body`."""
    path.write_text(body)
    version = "client.authentication.k8s.io/v1"
    return {"exec": {"command": sys.executable, "args": [str(path)], "apiVersion": version}}


def credential(**status: str) -> str:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    return f"print({json.dumps(answer)!r})"


@pytest.mark.parametrize("token", ["abc", "abc\n", " abc \r\n"])
def test_token(cluster: Cluster, write: Write, token: str) -> None:
    write(cluster, {"token": token})
    fetch(limits=FAST)
    assert authorizations(cluster) == {"Bearer abc"}


@pytest.mark.parametrize("token", ["abc", "abc\n"])
def test_token_file_beside_the_kubeconfig(cluster: Cluster, write: Write, token: str) -> None:
    path = write(cluster, {"tokenFile": "my-token"})
    (path.parent / "my-token").write_text(token)
    fetch(limits=FAST)
    assert authorizations(cluster) == {"Bearer abc"}


def test_a_token_file_that_is_absent(cluster: Cluster, write: Write) -> None:
    write(cluster, {"tokenFile": "absent"})
    with pytest.raises(ClusterError, match=r'context "dev": .*No such file.*absent'):
        fetch(limits=FAST)
    assert not cluster.requests


def test_no_credentials(cluster: Cluster, write: Write) -> None:
    write(cluster)
    fetch(limits=FAST)
    assert authorizations(cluster) == {None}


def test_user_and_password(cluster: Cluster, write: Write) -> None:
    write(cluster, {"username": "jane", "password": "pw"})
    fetch(limits=FAST)
    assert authorizations(cluster) == {"Basic amFuZTpwdw=="}


def test_exec_plugin(cluster: Cluster, write: Write, tmp_path: Path) -> None:
    write(cluster, plugin(tmp_path / "plugin.py", credential(token="abc")))
    fetch(limits=FAST)
    assert authorizations(cluster) == {"Bearer abc"}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('log in\\nfirst')", "exec: process returned 1. log in first"),
        ("print('no json')", "exec: failed to decode process output"),
        (credential(), "exec: missing token or clientCertificateData"),
    ],
)
def test_exec_plugin_that_fails(
    cluster: Cluster, write: Write, tmp_path: Path, program: str, words: str
) -> None:
    write(cluster, plugin(tmp_path / "plugin.py", program))
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST)
    assert str(caught.value).startswith(f'context "dev": exec plugin {sys.executable} failed: ')
    assert words in str(caught.value)
    assert not cluster.requests


def test_exec_plugin_that_is_not_installed(cluster: Cluster, write: Write) -> None:
    user = {"exec": {"command": "kubehop-absent", "apiVersion": "v1", "installHint": "get it"}}
    write(cluster, user)
    with pytest.raises(ClusterError, match=r"kubehop-absent failed: .*No such file.*\(get it\)"):
        fetch(limits=FAST)


def test_impersonation(cluster: Cluster, write: Write) -> None:
    user = {
        "token": "abc",
        "as": "jane@example.com",
        "as-uid": "u-1",
        "as-groups": ["dev", "ops, on call"],
        "as-user-extra": {"scopes": ["view", "list"], "acme.com/%x y": ["1"]},
    }
    write(cluster, user)
    fetch(limits=FAST)
    assert authorizations(cluster) == {"Bearer abc"}
    assert headers(cluster, "Impersonate-User") == ["jane@example.com"]
    assert headers(cluster, "Impersonate-Uid") == ["u-1"]
    assert headers(cluster, "Impersonate-Group") == ["dev", "ops, on call"]
    assert headers(cluster, "Impersonate-Extra-scopes") == ["view", "list"]
    assert headers(cluster, "Impersonate-Extra-acme.com%2F%25x%20y") == ["1"]


def test_every_request_is_impersonated(cluster: Cluster, write: Write) -> None:
    write(cluster, {"as": "jane"})
    fetch(limits=FAST)
    assert {request.headers["Impersonate-User"] for request in cluster.requests} == {"jane"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"as-groups": ["ops"]}, "as-groups needs a user name in `as`"),
        ({"as": "jane", "as-groups": "ops"}, "as-groups must be a list"),
        ({"as": "jane", "as-user-extra": ["x"]}, "as-user-extra must be a map of lists"),
        ({"as": "jane", "as-user-extra": {"x": "y"}}, "as-user-extra.x must be a list"),
        ({"as": "jané"}, "as must be printable ASCII"),
        ({"as": "jane\nX-Other: 1"}, "as must be printable ASCII"),
        ({"as": 7}, "as must be printable ASCII"),
    ],
)
def test_impersonation_that_cannot_be_sent_as_meant_is_refused(
    cluster: Cluster, write: Write, user: dict[str, Any], words: str
) -> None:
    write(cluster, user)
    with pytest.raises(ClusterError, match=words):
        fetch(limits=FAST)
    assert not cluster.requests


def test_groups_are_refused_where_a_proxy_would_join_them(cluster: Cluster, write: Write) -> None:
    user = {"as": "jane", "as-groups": ["dev", "ops"]}
    write("http://api.internal", user, **{"proxy-url": cluster.url})
    with pytest.raises(ClusterError, match="cannot be sent through an HTTP proxy"):
        fetch(limits=FAST)


def test_proxy_url_is_honoured(cluster: Cluster, write: Write) -> None:
    write("http://api.internal", {"as": "jane", "as-groups": ["dev"]}, **{"proxy-url": cluster.url})
    assert fetch(limits=FAST).complete
    assert {request.headers["Host"] for request in cluster.requests} == {"api.internal"}


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[Cluster]:
    """The recorded cluster over TLS, which asks for a client certificate and takes none too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.load_verify_locations(certificates.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    with serving(recorded.cluster(), context) as served:
        yield served


def test_tls_with_a_private_authority(
    secure: Cluster, write: Write, certificates: Certificates
) -> None:
    write(secure, **{"certificate-authority": str(certificates.authority)})
    assert fetch(limits=FAST).complete


def test_tls_with_an_unknown_authority(secure: Cluster, write: Write) -> None:
    write(secure)
    with pytest.raises(ClusterError, match=r"TLS failed: .*certificate verify failed"):
        fetch(limits=FAST)
    assert not secure.requests


def test_tls_unverified_is_silent(secure: Cluster, write: Write) -> None:
    write(secure, **{"insecure-skip-tls-verify": True})
    assert fetch(limits=FAST).complete


def test_tls_server_name(secure: Cluster, write: Write, certificates: Certificates) -> None:
    fields = {"certificate-authority-data": certificates.authority_data}
    by_other_name = secure.url.replace("127.0.0.1", "localhost")
    write(by_other_name, **fields)
    with pytest.raises(ClusterError, match="TLS failed"):
        fetch(limits=FAST)
    write(by_other_name, **fields, **{"tls-server-name": "kubernetes.default"})
    assert fetch(limits=FAST).complete


def test_client_certificate(secure: Cluster, write: Write, certificates: Certificates) -> None:
    user = {
        "client-certificate": str(certificates.client),
        "client-key": str(certificates.client_key),
    }
    write(secure, user, **{"certificate-authority": str(certificates.authority)})
    assert fetch(limits=FAST).complete
    assert {request.peer for request in secure.requests} == {"jane"}


def test_client_certificate_of_an_exec_plugin(
    secure: Cluster, write: Write, certificates: Certificates, tmp_path: Path
) -> None:
    program = credential(
        clientCertificateData=certificates.client.read_text(),
        clientKeyData=certificates.client_key.read_text(),
    )
    user = plugin(tmp_path / "plugin.py", program)
    write(secure, user, **{"certificate-authority": str(certificates.authority)})
    assert fetch(limits=FAST).complete
    assert {request.peer for request in secure.requests} == {"jane"}


def test_a_pod_asks_its_own_cluster(
    secure: Cluster, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = tmp_path / "serviceaccount"
    mounted.mkdir()
    (mounted / "token").write_text("abc\n")
    (mounted / "ca.crt").write_text(certificates.authority.read_text())
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", mounted)
    server = urlsplit(secure.url)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(server.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    assert fetch(limits=FAST).complete
    assert authorizations(secure) == {"bearer abc"}
