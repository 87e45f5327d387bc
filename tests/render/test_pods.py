"""The pods of a host as text and JSON."""

from kubehop.render.pod_json import plain, pod_list, pod_network
from kubehop.render.pods import Pod, Row, columns, list_lines, pod_lines, reference
from kubehop.sandbox.values import (
    NONE_THERE,
    Container,
    Files,
    Interface,
    InterfaceAddress,
    Listening,
    Network,
    NextHop,
    Peer,
    Route,
    Sandbox,
    Tried,
    Unknown,
)
from tests.cli.test_cli import documented, paths

ESCAPE = "web\x1b[31m\nred"
NAME = Unknown("name", "no log file has it", "the socket of the runtime")
SANDBOX = Sandbox(
    id="3f2a9c" + "0" * 58, namespace="shop", name="web", uid="u", attempt=1, ready=True,
    created=1, pid=4711, netns_path="/var/run/netns/cni-1", inode=4026532312, host_network=False,
    addresses=("10.42.0.8", "fd00::8"), runtime="containerd 1.6.20", handler="runc", static=True,
    names=("k8s_POD_web",), source="CRI at /run/containerd/containerd.sock, /proc",
    containers=(
        Container("a" * 64, "app", 4712, True, names=("k8s_app_web",)),
        Container("b" * 64, "once", None, False),
    ),
    unknown=(NAME,),
)  # fmt: skip
NETWORK = Network(
    inode=4026532312,
    interfaces=(
        Interface(
            "eth0", 2, "veth", ("UP",), 1450, state="UP", link=41, link_namespace=0,
            other_names=("other",),
            addresses=(InterfaceAddress("10.42.0.8", 24, flags=("dynamic",)),),
        ),
    ),
    routes=(
        Route(4, "default", "eth0", "10.42.0.1", flags=("onlink",), metrics=(("mtu", "1400"),)),
        Route(4, "10.0.0.0/8", nexthops=(NextHop("10.42.0.2", "eth0", flags=("onlink",)),)),
    ),
    listening=(Listening("tcp", "0.0.0.0", 80, program="nginx", pid=4712),),
    peers=(Peer(2, "veth41", 41, True),),
    how="netlink, from inside",
    unknown=(Unknown("x", "y"),),
)  # fmt: skip
FILES = Files("nameserver 10.43.0.10\n", "127.0.0.1\tlocalhost\n", "web\n", (Unknown("f", "g"),))
TRIED = (
    Tried("CRI at /run/containerd/containerd.sock", 3),
    Tried("docker at /run/docker.sock", None, "/run/docker.sock: permission denied", "root"),
    Tried("lab", None, NONE_THERE),
)

WHOLE = """\
pod         shop/web
uid         u (static pod)
sandbox     {id} (ready, attempt 1)
pause PID   4711
netns       4026532312 /var/run/netns/cni-1
addresses   10.42.0.8, fd00::8
runtime     containerd 1.6.20 (runc)
containers  app (PID 4712), once (exited)
chosen      app (PID 4712)
hostname    web
looked at   netlink, from inside
from        CRI at /run/containerd/containerd.sock, /proc

interfaces:
  2: eth0@if41: <UP> mtu 1450 state UP
      altname other
      inet 10.42.0.8/24 scope global dynamic
         valid_lft forever preferred_lft forever
routes of IPv4:
  default via 10.42.0.1 dev eth0 onlink mtu 1400
  10.0.0.0/8
  \tnexthop via 10.42.0.2 dev eth0 weight 1 onlink
peers:
  eth0 (2): veth41 (41) on this host
listening:
  tcp 0.0.0.0:80 nginx (PID 4712)

resolv.conf:
  nameserver 10.43.0.10

hosts:
  127.0.0.1       localhost

unknown:
  name: no log file has it (needs the socket of the runtime)
  x: y
  f: g

not asked: docker at /run/docker.sock: permission denied (needs root)
"""


def _text(pod: Pod) -> str:
    return "".join(f"{line.rstrip()}\n" for line in pod_lines(pod))


def test_a_whole_pod() -> None:
    pod = Pod(SANDBOX, SANDBOX.containers[0], NETWORK, FILES, TRIED)
    assert _text(pod) == WHOLE.format(id=SANDBOX.id)


def test_a_pod_that_nothing_is_known_of() -> None:
    unseen = Network(None, unknown=(Unknown("network", "it has ended"),))
    shown = _text(Pod(Sandbox(pid=7), None, unseen, Files(), ()))
    assert shown == (
        "name        ?\npause PID   7\nnetns       ?\nruntime     ?\n\n"
        "unknown:\n  network: it has ended\n"
    )


def test_a_sandbox_that_has_ended() -> None:
    shown = _text(Pod(Sandbox(id="ab", uid="u", ready=False), None, Network(None), Files(), ()))
    assert "ab (not ready)" in shown
    assert "netns" not in shown
    assert "PID" not in shown


def test_a_sandbox_without_a_process_of_its_own() -> None:
    """CRI-O."""
    crio = Sandbox(uid="u", ready=True, containers=(Container("c" * 64, "app", 9, True),))
    assert "- (no process of the sandbox's own)" in _text(Pod(crio, None, NETWORK, Files(), ()))


def test_the_network_of_the_node_is_said_to_be() -> None:
    node = Sandbox(namespace="a", name="b", host_network=True)
    assert "network     the node's own (hostNetwork)" in _text(
        Pod(node, None, NETWORK, Files(), ())
    )


def test_nothing_drives_the_terminal() -> None:
    odd = Sandbox(
        id=ESCAPE, namespace=ESCAPE, name=ESCAPE, runtime=ESCAPE, handler=ESCAPE, source=ESCAPE,
        uid=ESCAPE, netns_path=ESCAPE, addresses=(ESCAPE,),
        unknown=(Unknown(ESCAPE, ESCAPE, ESCAPE),),
        containers=(Container(ESCAPE, ESCAPE),),
    )  # fmt: skip
    tried = (Tried(ESCAPE, None, ESCAPE, ESCAPE), Tried(ESCAPE, 1))
    network = Network(None, interfaces=(Interface(ESCAPE, 1),), how=ESCAPE)
    files = Files(ESCAPE, ESCAPE, ESCAPE)
    shown = pod_lines(Pod(odd, odd.containers[0], network, files, tried))
    shown += list_lines([Row(odd, (ESCAPE,))], tried, wide=True)
    assert all(line.isprintable() for line in shown)
    assert reference(odd).isprintable()


def test_a_list() -> None:
    rows = [
        Row(SANDBOX, ("veth41",)),
        Row(Sandbox(namespace="kube-system", name="proxy", ready=True, pid=5, host_network=True)),
        Row(Sandbox(id="c" * 64, uid="v", ready=None, unknown=(NAME,))),
        Row(Sandbox(id="d" * 64, name="registry", ready=False)),
    ]
    assert list_lines(rows, TRIED) == [
        "NAMESPACE     NAME       SANDBOX         PID    NETNS        ADDRESSES           "
        "HOST-INTERFACE   RUNTIME",
        "shop          web        3f2a9c0000000   4711   4026532312   10.42.0.8,fd00::8   "
        "veth41           containerd 1.6.20",
        "kube-system   proxy      -               5      ?            host                "
        "-                ?",
        "?             ?          ccccccccccccc   ?      ?            ?                   "
        "?                ?",
        "-             registry   ddddddddddddd   -      -            -                   "
        "-                ?",
        "unknown:",
        "  name of 2 pods: no log file has it (needs the socket of the runtime)",
        "from: CRI at /run/containerd/containerd.sock (3)",
        "not asked: docker at /run/docker.sock: permission denied (needs root)",
    ]
    assert list_lines([], ()) == []


def test_columns_of_nothing_but_a_head() -> None:
    assert columns([["A", "BC"], ["long", ""]]) == ["A      BC", "long"]


def test_json_is_what_the_documentation_says() -> None:
    value = {**pod_network(SANDBOX, NETWORK, FILES), "container": None, "sources": plain(TRIED)}
    printed = paths(value)
    known = documented("PodNetwork")
    leaves = {p for p in printed if not any(q.startswith((p + ".", p + "[")) for q in printed)}
    nested = ("network.unknown[]", "files.unknown[]")
    assert {p for p in leaves if not p.startswith(nested)} <= known
    assert known <= printed
    items = pod_list([(SANDBOX, ("veth41",))], TRIED)
    assert items["items"][0] == {**value["sandbox"], "hostInterfaces": ["veth41"]}
    assert documented("PodList") <= paths(items)
