"""Which of a host's pods a text means."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.model.errors import UsageError
from kubehop.sandbox.find import (
    Named,
    Whose,
    chosen,
    container_named,
    near,
    packed,
    pid_in,
    rank,
)
from kubehop.sandbox.values import Container, Sandbox


def _id(start: str) -> str:
    return start.ljust(64, "0")


APP, HELPER = (
    Container(_id("c1a0"), "app", 101, True, names=("k8s_app_web_shop_u_0",)),
    Container(_id("c1b0"), "helper", 102, True),
)
WEB = Sandbox(
    id=_id("aaaa1"), namespace="shop", name="web", uid="u-web", attempt=1, ready=True, pid=100,
    inode=7, host_network=False, addresses=("10.42.0.8", "fd00::8"), containers=(APP, HELPER),
    names=("k8s_POD_web_shop_u_1",),
)  # fmt: skip
BEFORE = Sandbox(
    id=_id("aaaa2"), namespace="shop", name="web", uid="u-web", ready=False,
    addresses=("10.42.0.9",), containers=(Container(_id("c2a0"), "app", running=False),),
)  # fmt: skip
TWIN = Sandbox(
    id=_id("bbbb1"), namespace="bank", name="twin", uid="u-twin", ready=True, pid=200, inode=8
)
OTHER = Sandbox(
    id=_id("bbbb2"), namespace="shop", name="twin", uid="u-other", ready=True, pid=201, inode=9,
    addresses=("10.42.0.9",),
)  # fmt: skip
NODE = Sandbox(
    id=_id("dddd"), namespace="kube-system", name="proxy", uid="u-node", ready=True, pid=300,
    inode=1, host_network=True,
)  # fmt: skip
NUMBER = Sandbox(id=_id("1234"), namespace="odd", name="1234", uid="u-odd", ready=True, pid=400)
HEX = Sandbox(id=_id("eeee"), namespace="odd", name="c1a0", uid="u-hex", ready=True, pid=401)
PLAIN = Sandbox(
    id=_id("f00d"), name="registry", ready=True, pid=500, names=("registry",),
    containers=(Container(_id("f00d"), "registry", 500, True, names=("registry",)),),
)  # fmt: skip
ALL = (WEB, BEFORE, TWIN, OTHER, NODE, NUMBER, HEX, PLAIN)
PROCESSES = {
    101: Whose(101, APP.id, "u-web", 7),
    100: Whose(100, WEB.id, "u-web", 7),
    150: Whose(150, "", "", 7),
    1234: Whose(1234, TWIN.id, "u-twin", 8),
    300: Whose(300, NODE.id, "u-node", 1),
    999: Whose(999, "", "", 1),
}


def _chosen(text: str, namespace: str | None = None) -> tuple[Sandbox, str, int] | None:
    choice = chosen(Named(text, namespace, PROCESSES.get(pid_in(text) or 0)), ALL)
    if choice is None:
        return None
    container = choice.match.container
    return choice.match.sandbox, container.name if container else "", len(choice.notes)


@pytest.mark.parametrize(
    ("text", "namespace", "sandbox", "container", "notes"),
    [
        ("web", None, WEB, "", 0),
        ("web", "shop", WEB, "", 0),
        ("shop/web", None, WEB, "", 0),
        ("shop/web", "bank", WEB, "", 0),
        ("pod/web", "shop", WEB, "", 0),
        ("pods/shop/web", None, WEB, "", 0),
        ("twin", "bank", TWIN, "", 0),
        ("shop/twin", None, OTHER, "", 0),
        (APP.id, None, WEB, "app", 0),
        ("c1a0" + "0" * 20, None, WEB, "app", 0),
        (APP.id.upper(), None, WEB, "app", 0),
        (f"containerd://{APP.id}", None, WEB, "app", 0),
        ("cri-o://c1b0", None, WEB, "helper", 0),
        ("aaaa1", None, WEB, "", 0),
        ("aaaa2", None, BEFORE, "", 0),
        (BEFORE.containers[0].id, None, BEFORE, "app", 0),
        ("k8s_app_web_shop_u_0", None, WEB, "app", 0),
        ("/k8s_POD_web_shop_u_1", None, WEB, "", 0),
        ("registry", None, PLAIN, "", 0),
        ("f00d", None, PLAIN, "registry", 0),
        ("101", None, WEB, "app", 0),
        ("100", None, WEB, "", 0),
        ("150", None, WEB, "", 0),
        ("300", None, NODE, "", 0),
        ("10.42.0.8", None, WEB, "", 0),
        ("::ffff:10.42.0.8", None, WEB, "", 0),
        ("fd00:0:0::0008", None, WEB, "", 0),
        ("[FD00::8]", None, WEB, "", 0),
        ("fd00::8%eth0", None, WEB, "", 0),
        ("10.42.0.9", None, OTHER, "", 0),  # BEFORE has it no more
        ("1234", None, NUMBER, "", 1),  # a name before a PID
        ("/proc/1234", None, TWIN, "", 0),
        ("c1a0", None, HEX, "", 1),  # a name before an id
    ],
)
def test_forms(
    text: str, namespace: str | None, sandbox: Sandbox, container: str, notes: int
) -> None:
    assert _chosen(text, namespace) == (sandbox, container, notes)


@pytest.mark.parametrize(
    "text",
    ["", "/", "we", "shop/", "bank/web", "c1a", "c1ag", "10.42.0.99", "999", "4294967296",
     "containerd://", "/proc/7", "pod/", "../web", "\x1b[31m", "web\n", "a/b/c"],
)  # fmt: skip
def test_nothing_fits(text: str) -> None:
    assert _chosen(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("twin", ("several namespaces", "bank/twin", "shop/twin", "-n")),
        ("aaaa", ("begins 2 ids", "aaaa1", "aaaa2")),
        ("c1a0000", ()),
    ],
)
def test_several_fit(text: str, words: tuple[str, ...]) -> None:
    if not words:
        assert _chosen(text) == (WEB, "app", 0)
        return
    with pytest.raises(UsageError) as caught:
        _chosen(text)
    assert all(word in str(caught.value) for word in words)


def test_two_labs_with_a_pod_of_one_name() -> None:
    labs = [
        Sandbox(namespace="default", name="web", ready=True, pid=pid, source=f"lab {pid}")
        for pid in (1, 2)
    ]
    with pytest.raises(UsageError, match=r"of lab 1, lab 2"):
        chosen(Named("web"), labs)


def test_the_sandbox_that_counts() -> None:
    order = [
        Sandbox(ready=False, attempt=9),
        Sandbox(ready=None, attempt=1),
        Sandbox(ready=True, attempt=0, created=5),
        Sandbox(ready=True, attempt=1, created=1),
        Sandbox(ready=True, attempt=1, created=2),
    ]
    assert sorted((order[3], order[0], order[4], order[2], order[1]), key=rank) == order


def test_two_ready_sandboxes_of_one_pod_are_said() -> None:
    older = Sandbox(id=_id("ab"), namespace="a", name="b", uid="u", ready=True)
    newer = Sandbox(id=_id("cd"), namespace="a", name="b", uid="u", ready=True, attempt=1)
    choice = chosen(Named("b"), (older, newer))
    assert choice is not None
    assert choice.match.sandbox is newer
    assert "2 sandboxes" in choice.notes[0]


def test_container_by_name() -> None:
    again = (
        Container(_id("1"), "app", running=False, attempt=2),
        Container(_id("2"), "app", running=True, attempt=1),
        Container(_id("3"), "app", running=True, attempt=0),
    )
    assert container_named(Sandbox(containers=again), "app") is again[1]
    with pytest.raises(UsageError, match=r"shop/web has no container 'x'; it has app, helper"):
        container_named(WEB, "x")


def test_names_that_are_near() -> None:
    assert near("wep", ALL) == "shop/web"
    assert near("shop/twim", ALL) == "bank/twin, shop/twin"
    assert near("no", ALL) == ""
    assert near("web", [Sandbox(namespace="a", name="web-7d4b9c6f5-x2x7q")]).startswith("a/web-")


@given(st.text(max_size=80), st.none() | st.text(max_size=9))
def test_any_text_gets_an_answer_or_a_usage_error(text: str, namespace: str | None) -> None:
    with suppress(UsageError):
        found = _chosen(text, namespace)
        assert found is None or found[0] in ALL


@given(st.ip_addresses())
def test_every_spelling_of_an_address(address: object) -> None:
    from ipaddress import IPv6Address

    said = address.exploded if isinstance(address, IPv6Address) else f"::ffff:{address}"
    assert packed(str(address)) == packed(said)
    assert packed(str(address)) is not None
