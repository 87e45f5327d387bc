"""CRI's messages as our values.

Pure. A PID is what the runtime says, in the runtime's PID namespace: it is this sandbox's here only
if /proc/PID/cgroup names the id, which whoever merges this with /proc has to see.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec.structs import replace

from kubehop.sandbox.cri import messages
from kubehop.sandbox.cri.info import SandboxInfo, sandbox_info
from kubehop.sandbox.values import Container, Sandbox, Unknown

_CONFIG_SOURCE = "kubernetes.io/config.source"
_CONFIG_HASH = "kubernetes.io/config.hash"
"""Annotations of the kubelet: pkg/kubelet/types/pod_update.go."""

_READY = {messages.READY: True, messages.NOT_READY: False}
_RUNNING = {messages.CREATED: False, messages.RUNNING: True, messages.EXITED: False}

_NO_DETAILS = Unknown(
    "pid",
    "the runtime tells no details over CRI, as cri-dockerd never does",
    "access to the docker socket",
)
_CLOSED = Unknown("netns_path", "the runtime has closed this sandbox's network namespace")
_ELSEWHERE = (
    (
        "runsc",
        Unknown(
            "network inside",
            "gVisor (runsc) has a network stack of its own: addresses, routes and sockets that the"
            " host sees in the namespace are not the container's",
            "an exec into the container",
        ),
    ),
    (
        "kata",
        Unknown(
            "network inside",
            "Kata runs the containers in a virtual machine: the namespace has the machine's"
            " interface, sockets are inside",
            "an exec into the container",
        ),
    ),
)


def sandboxes(
    version: messages.Version,
    listed: messages.PodSandboxes,
    containers: messages.Containers,
    source: str = "",
) -> tuple[Sandbox, ...]:
    """The sandboxes of a list, with their containers by name; sorted by namespace and name."""
    common = Sandbox(
        runtime=f"{version.runtime_name} {version.runtime_version}".strip(), source=source
    )
    of: dict[str, list[Container]] = {}
    for container in containers.containers:
        of.setdefault(container.pod_sandbox_id, []).append(_container(container))
    found = (_sandbox(one, common, of.get(one.id, ())) for one in listed.items if one.id)
    return tuple(sorted(found, key=lambda one: (one.namespace, one.name, one.attempt, one.id)))


def _container(listed: messages.Container) -> Container:
    return Container(
        id=listed.id,
        name=listed.metadata.name,
        running=_RUNNING.get(listed.state),
        attempt=listed.metadata.attempt,
    )


def _sandbox(
    listed: messages.PodSandbox, common: Sandbox, containers: Iterable[Container]
) -> Sandbox:
    metadata = listed.metadata
    return replace(
        common,
        id=listed.id,
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        attempt=metadata.attempt,
        ready=_READY.get(listed.state),
        created=max(listed.created_at, 0),
        handler=listed.runtime_handler,
        static=_CONFIG_HASH in listed.annotations
        or listed.annotations.get(_CONFIG_SOURCE) in ("file", "http"),
        containers=tuple(sorted(containers, key=lambda one: (one.name, one.attempt, one.id))),
    )


def detailed(known: Sandbox, response: messages.PodSandboxStatusResponse) -> Sandbox:
    """`known` with what its verbose status adds."""
    status = response.status or messages.PodSandboxStatus()
    if status.id != known.id:
        return without(known, f"the runtime answered for another sandbox, {status.id!r}")
    info = sandbox_info(response.info)
    details = info or SandboxInfo()
    network = details.network
    host_network = _host_network(status, network.host)
    addresses, odd = _addresses(status.network)
    handler = _handler(status.runtime_handler or known.handler, details)
    return replace(
        known,
        ready=_READY.get(status.state),
        created=max(status.created_at, 0) or known.created,
        pid=details.process,
        netns_path=network.path,
        host_network=host_network,
        addresses=() if host_network else addresses,
        handler=handler,
        unknown=(*known.unknown, *odd, *_unknown(info, handler)),
    )


def without(known: Sandbox, why: str, needs: str = "") -> Sandbox:
    """`known`, of which no more can be known."""
    return replace(known, unknown=(*known.unknown, Unknown("details", why, needs)))


def _host_network(status: messages.PodSandboxStatus, by_specification: bool | None) -> bool | None:
    spaces = status.linux.namespaces if status.linux else None
    if spaces is None or spaces.options is None:
        return by_specification
    return spaces.options.network == messages.NODE


def _addresses(
    network: messages.NetworkStatus | None,
) -> tuple[tuple[str, ...], tuple[Unknown, ...]]:
    """The addresses, as inet_ntop(3) writes them; what is none is told apart."""
    if network is None:
        return (), ()
    said = [text for text in (network.ip, *(more.ip for more in network.additional_ips)) if text]
    good = {text: address for text in said for address in _canonical(text)}
    odd = tuple(
        Unknown("addresses", f"the runtime says {text[:60]!r}, which is no address")
        for text in said
        if text not in good
    )
    return tuple(dict.fromkeys(good.values())), odd


def _canonical(text: str) -> Iterator[str]:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):
            yield socket.inet_ntop(family, socket.inet_pton(family, text))


def _handler(said: str, info: SandboxInfo) -> str:
    """The runtime handler. Its name is free; the type behind it tells gVisor and Kata."""
    if any(info.type_name.startswith(name) for name, _ in _ELSEWHERE):
        return info.type_name
    return said or info.runtime_handler or info.type_name


def _unknown(info: SandboxInfo | None, handler: str) -> Iterator[Unknown]:
    if info is None:
        yield _NO_DETAILS
    elif info.net_namespace_closed:
        yield _CLOSED
    yield from (unknown for name, unknown in _ELSEWHERE if handler.startswith(name))
