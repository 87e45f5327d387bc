import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubehop.live.limits import Limits
from tests.live import certificates as openssl
from tests.live import recorded
from tests.live.api_server import Cluster, serving

FAST = Limits(connect_seconds=2, read_seconds=2, backoff_seconds=0.001)

_FOREIGN = (
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    *(f"{proxy}_proxy" for proxy in ("http", "https", "all", "no")),
)

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and nothing in the environment that leads to a cluster or a proxy."""
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """The recorded cluster over plain HTTP; it must have seen nothing but GET."""
    with serving(recorded.cluster()) as served:
        yield served
    assert {request.method for request in served.requests} <= {"GET"}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> openssl.Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("skipped: needs openssl")
    return openssl.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a kubeconfig of one context "dev" and makes it ~/.kube/config."""

    def kubeconfig(
        server: str | Cluster,
        user: dict[str, Any] | None = None,
        *,
        path: Path = tmp_path / ".kube" / "config",
        name: str = "dev",
        namespace: str | None = None,
        current: bool = True,
        **cluster_fields: Any,
    ) -> Path:
        url = server.url if isinstance(server, Cluster) else server
        context = {"cluster": name, "user": name}
        if namespace:
            context["namespace"] = namespace
        content = {
            "clusters": [{"name": name, "cluster": {"server": url, **cluster_fields}}],
            "users": [{"name": name, "user": user or {}}],
            "contexts": [{"name": name, "context": context}],
            **({"current-context": name} if current else {}),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))
        return path

    return kubeconfig
