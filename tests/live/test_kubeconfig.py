from pathlib import Path
from typing import Any

import pytest
import yaml

from kubehop.live import access
from kubehop.live.fetch import context_namespace, fetch
from kubehop.model.errors import ClusterError
from tests.live.api_server import Cluster
from tests.live.conftest import FAST, Write

NOWHERE = "http://127.0.0.1:1"


def error_of(**arguments: Any) -> str:
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_kubeconfig_says_how_to_give_input() -> None:
    assert error_of() == (
        "no kubeconfig found: give input with -f FILE, or set KUBECONFIG or --kubeconfig"
    )


def test_a_kubeconfig_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert error_of(kubeconfig=f"{tmp_path}/nope").endswith("nope: no such file")


def test_kubeconfig_by_argument(cluster: Cluster, write: Write, tmp_path: Path) -> None:
    write(NOWHERE)
    named = write(cluster, path=tmp_path / "other")
    assert fetch(kubeconfig=str(named), limits=FAST).complete


def test_several_files_in_kubeconfig_are_merged(
    cluster: Cluster, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(cluster, path=tmp_path / "one", name="one")
    second = write(cluster, path=tmp_path / "two", name="two", namespace="shop")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/absent:{first}:{second}")
    assert fetch(context="two", limits=FAST).complete
    assert context_namespace(context="two") == "shop"


def test_the_first_current_context_wins_as_in_kubectl(
    cluster: Cluster, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = write(NOWHERE, path=tmp_path / "none", name="none", current=False)
    first = write(cluster, path=tmp_path / "one", name="one")
    second = write(NOWHERE, path=tmp_path / "two", name="two")
    monkeypatch.setenv("KUBECONFIG", f"{none}:{first}:{second}")
    assert fetch(limits=FAST).complete


def test_the_namespace_of_the_context(write: Write) -> None:
    write(NOWHERE, namespace="shop")
    assert context_namespace() == "shop"
    write(NOWHERE)
    assert context_namespace() == "default"


def test_the_namespace_without_a_kubeconfig() -> None:
    assert context_namespace() == "default"


def test_a_missing_context_lists_the_others(write: Write) -> None:
    path = write(NOWHERE)
    assert error_of(context="prod", kubeconfig=str(path)) == (
        f'kubeconfig {path} has no context "prod"; it has: dev'
    )


def test_no_current_context(write: Write) -> None:
    path = write(NOWHERE, current=False)
    assert error_of(kubeconfig=str(path)) == (
        f"kubeconfig {path} sets no current context: use --context (it has: dev)"
    )


@pytest.mark.parametrize(
    ("section", "words"),
    [("clusters", 'no server for cluster "dev"'), ("users", 'no user "dev"')],
)
def test_a_context_without_its_parts(write: Write, section: str, words: str) -> None:
    path = write(NOWHERE)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), section: []}))
    assert words in error_of()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "just text",
        "[]",
        "contexts: 7",
        "contexts: [{}]",
        "contexts: [{name: dev, context: 7}]\ncurrent-context: dev",
        "a: [",
        "\ttab",
        "a: \x00",
    ],
)
def test_a_file_that_is_no_kubeconfig(write: Write, content: str) -> None:
    path = write(NOWHERE)
    path.write_text(content)
    assert "kubeconfig" in error_of()


def test_a_kubeconfig_that_is_no_text(write: Write) -> None:
    write(NOWHERE).write_bytes(b"\xff\xfe\xff")
    assert "kubeconfig" in error_of()


@pytest.mark.parametrize(
    "user",
    [
        {"token": "s3cret", "exec": {"command": "x"}, "tokenFile": 7},
        {"exec": {"command": "x", "apiVersion": "v1", "env": [{"value": "s3cret"}]}},
        {"client-key-data": "s3cret", "client-certificate": "/absent"},
        {"token": "s3cret\nbroken"},
        {"token": "s3cret\u20ac"},
    ],
)
def test_no_message_shows_a_secret(write: Write, user: dict[str, Any]) -> None:
    write("https://127.0.0.1:1", user)
    assert "s3cret" not in error_of()


def test_a_user_entry_without_a_user_shows_no_secret(write: Write) -> None:
    path = write(NOWHERE)
    content = yaml.safe_load(path.read_text())
    content["users"] = [{"name": "dev", "token": "s3cret"}]
    path.write_text(yaml.safe_dump(content))
    message = error_of()
    assert 'context "dev"' in message
    assert "s3cret" not in message


def test_credentials_in_the_server_url_are_not_shown(write: Write) -> None:
    write("http://jane:s3cret@127.0.0.1:1")
    assert "s3cret" not in error_of()


def test_auth_provider_is_refused_with_a_hint(write: Write) -> None:
    write(NOWHERE, {"auth-provider": {"name": "gcp", "config": {"access-token": "s3cret"}}})
    message = error_of()
    assert 'auth-provider "gcp" is not supported' in message
    assert "exec plugin" in message


def test_a_context_cannot_be_named_without_a_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    assert "no kubeconfig found" in error_of(context="dev")


def test_the_namespace_of_the_pod_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "namespace").write_text("tools\n")
    assert context_namespace() == "tools"
