"""Debian's docker with pods as cri-dockerd (before it: the kubelet's dockershim) makes them.

Names, labels, network, cgroups and resolv.conf: cri-dockerd core/{naming,sandbox_run}.go. The pod's
network is a CNI plugin's, as the sandbox is started without one.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.needs import lacks
from tests.real.runtimes.cni import network, plugins
from tests.real.runtimes.host import Host, Ran
from tests.real.runtimes.images import compiled, layer
from tests.real.runtimes.kubelet import Pod, Started, Wanted, hosts_text, labels, resolv_text
from tests.sandbox.docker.real import IMAGE, Dockerd, dockerd

PAUSE = "local/pause:1"


@dataclass(frozen=True, slots=True)
class Docker:
    """A host with docker; `socket` is its path out here, `pods` are by our own names.

    `plain` is a container that is no pod's, on docker's bridge.
    """

    host: Host
    socket: str
    daemon: Dockerd
    pods: Mapping[str, Pod]
    plain: Started

    def inside(self, pid: int, *command: str) -> Ran:
        """Run a program of ours in the network namespace of `pid`, as nsenter does."""
        return self.host.inside(pid, *command)


def names(wanted: Wanted, attempt: int = 0) -> dict[str, str]:
    """Docker's names of the containers of a pod; POD is the sandbox."""
    those = ("POD", *(app.name for app in wanted.apps))
    pod = f"{wanted.name}_{wanted.namespace}_{wanted.uid}"
    return {name: f"k8s_{name}_{pod}_{attempt}" for name in those}


@contextmanager
def docker(folder: Path, wanted: Mapping[str, Wanted]) -> Iterator[Docker]:
    """A host with docker, the pods `wanted` and a container `plain`; made side by side."""
    found = plugins() or lacks("ptp (Debian package containernetworking-plugins)")
    pause = layer({"/pause": compiled(folder, "pause")})
    with dockerd() as daemon, ThreadPoolExecutor(8) as side_by_side:
        daemon.docker("import", "-c", 'ENTRYPOINT ["/pause"]', "-", PAUSE, stdin=pause)
        plain = side_by_side.submit(_plain, daemon)
        made = side_by_side.map(lambda each: _run(daemon, each, found), wanted.values())
        pods = dict(zip(wanted, made, strict=True))
        yield Docker(daemon.host, daemon.socket, daemon, pods, plain.result())


def _plain(daemon: Dockerd) -> Started:
    return Started("plain", daemon.run("plain"), int(daemon.inspected("plain", ".State.Pid")))


def _run(daemon: Dockerd, wanted: Wanted, found: str) -> Pod:
    name = names(wanted)
    network = "host" if wanted.host_network else "none"
    sandbox = _start(
        daemon, wanted, name["POD"], PAUSE, "podsandbox", f"--network={network}", "--ipc=shareable"
    )
    pid = int(daemon.inspected(sandbox, ".State.Pid"))
    addresses = () if wanted.host_network else connect(daemon.host, sandbox, pid, found)
    _write_files(daemon, sandbox, wanted)
    containers = tuple(
        _app(daemon, wanted, sandbox, app.name, name[app.name], app.command) for app in wanted.apps
    )
    return Pod(wanted, sandbox, 0, pid, addresses, containers)


def _app(
    daemon: Dockerd, wanted: Wanted, sandbox: str, app: str, name: str, command: tuple[str, ...]
) -> Started:
    shared = [f"--{space}=container:{sandbox}" for space in ("network", "ipc")]
    options = [*shared, f"--label=io.kubernetes.sandbox.id={sandbox}"]
    options.append(f"--label=io.kubernetes.container.name={app}")
    id = _start(daemon, wanted, name, IMAGE, "container", *options, command=command)
    return Started(app, id, int(daemon.inspected(id, ".State.Pid")))


def _start(
    daemon: Dockerd,
    wanted: Wanted,
    name: str,
    image: str,
    kind: str,
    *options: str,
    command: tuple[str, ...] = (),
) -> str:
    said = labels(wanted) | {"io.kubernetes.docker.type": kind}
    if kind == "podsandbox":
        said["io.kubernetes.container.name"] = "POD"
        options = (*options, *(() if wanted.host_network else (f"--hostname={wanted.name}",)))
    parent = f"/{daemon.host.cgroup}/kubepods/{wanted.qos}/pod{wanted.uid}"
    words = [f"--label={key}={value}" for key, value in said.items()]
    words += [f"--name={name}", f"--cgroup-parent={parent}", *options]
    return daemon.docker("run", "-d", *words, image, *command)


def connect(host: Host, sandbox: str, pid: int, found: str) -> tuple[str, ...]:
    """What cri-dockerd has CNI do: ADD; the addresses that the plugin gave."""
    conf = network(host.token)
    plugin = conf["plugins"][0]
    asked = {"cniVersion": conf["cniVersion"], "name": conf["name"], **plugin}
    environ = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": sandbox, "CNI_IFNAME": "eth0"}
    environ |= {"CNI_NETNS": f"/proc/{pid}/ns/net", "CNI_PATH": found}
    path = f"{found}/{plugin['type']}"
    done = host.run(path, environ=environ, given=json.dumps(asked))
    assert not done.returncode, done.stdout
    up = host.inside(pid, "ip", "link", "set", "lo", "up")
    assert not up.returncode, up.stderr
    return tuple(each["address"].partition("/")[0] for each in json.loads(done.stdout)["ips"])


def _write_files(daemon: Dockerd, sandbox: str, wanted: Wanted) -> None:
    """cri-dockerd writes the sandbox's resolv.conf anew; the hosts file is docker's own here."""
    servers, searches, options = resolv_text(wanted)
    lines = [*(f"nameserver {each}" for each in servers), f"search {' '.join(searches)}"]
    text = "\n".join([*lines, f"options {' '.join(options)}", ""])
    Path(daemon.inspected(sandbox, ".ResolvConfPath")).write_text(text)
    if not wanted.host_network:
        Path(daemon.inspected(sandbox, ".HostsPath")).write_text(hosts_text(wanted))
