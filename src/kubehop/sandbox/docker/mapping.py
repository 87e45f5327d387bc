"""From docker's containers to sandboxes; pure.

1. The label `io.kubernetes.docker.type` or the name says that a container is a pod's sandbox.
2. A container whose network is another container's (NetworkMode container:ID, as every pod's
   is) is one of that sandbox. Where docker does not say, the label that names a sandbox does.
3. What is left has a network of its own: a sandbox that is its own first container.
"""

import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from kubehop.sandbox.docker.messages import HostConfig, Inspected, Networks, Summary, Version
from kubehop.sandbox.docker.names import KubeName, kube_name, own_names
from kubehop.sandbox.values import Container, Sandbox

TYPE, SANDBOX_ID = "io.kubernetes.docker.type", "io.kubernetes.sandbox.id"
_POD, _NAMESPACE, _UID = (f"io.kubernetes.pod.{what}" for what in ("name", "namespace", "uid"))
_CONTAINER = "io.kubernetes.container.name"
"""Labels of dockershim and cri-dockerd (core/docker_service.go, kubelet's types/labels.go)."""
_ID = re.compile(r"[0-9a-f]{64}")
_STATIC_UID = re.compile(r"[0-9a-f]{32}")
_RUNNING = ("running", "paused")
_JOINED = "container:"
_SECOND = 10**9
_PODMAN = "Podman Engine"


class _Known(Struct, frozen=True):
    """A container, with what its names and labels say."""

    summary: Summary
    names: tuple[str, ...]
    kube: KubeName | None
    labels: Mapping[str, str]

    @classmethod
    def of(cls, summary: Summary) -> "_Known":
        names = own_names(summary.names or ())
        kube = next((kube for name in names if (kube := kube_name(name))), None)
        return cls(summary, names, kube, summary.labels or {})

    @property
    def is_sandbox(self) -> bool:
        kind = self.labels.get(TYPE)
        return kind == "podsandbox" or (kind is None and bool(self.kube and self.kube.is_sandbox))

    @property
    def joined(self) -> str:
        """The id or name of the container in whose network it is, or ""."""
        mode = _mode(self.summary.host_config)
        return mode.removeprefix(_JOINED) if mode.startswith(_JOINED) else ""

    @property
    def running(self) -> bool | None:
        return self.summary.state in _RUNNING if self.summary.state else None


def runtime_of(version: Version) -> str:
    """`docker 20.10.24`; Podman speaks this API too."""
    for component in version.components or ():
        if component.name == _PODMAN:
            return f"podman {component.version}"
    return f"docker {version.version}"


def sandboxes_of(
    summaries: Iterable[Summary], runtime: str = "", source: str = "docker"
) -> tuple[Sandbox, ...]:
    """In the order in which docker tells them: the newest first."""
    all_known = [_Known.of(summary) for summary in summaries]
    by_id = {known.summary.id: known for known in all_known}
    by_name = {name: known for known in all_known for name in known.names}
    members: dict[str, list[_Known]] = {}
    for known in all_known:
        members.setdefault(_sandbox_id(known, by_id, by_name), []).append(known)
    return tuple(
        replace(_sandbox(id, by_id.get(id), there), runtime=runtime, source=source)
        for id, there in members.items()
    )


def _sandbox_id(known: _Known, by_id: Mapping[str, _Known], by_name: Mapping[str, _Known]) -> str:
    """Of the sandbox that it belongs to, which may have been removed; else its own id."""
    own = known.summary.id
    if known.is_sandbox:
        return own
    named = known.labels.get(SANDBOX_ID, "")
    if not _mode(known.summary.host_config) and _ID.fullmatch(named):
        return named
    seen = {own}
    while known.joined:
        other = by_id.get(known.joined) or by_name.get(known.joined)
        if other is None:
            return known.joined if _ID.fullmatch(known.joined) else own
        if other.summary.id in seen:
            return own
        seen.add(other.summary.id)
        known = other
    return known.summary.id


def _sandbox(id: str, holder: _Known | None, there: list[_Known]) -> Sandbox:
    """`holder` is the container that has the network; None once it has been removed.

    Then its network lives on in what joined it, but a pod is no longer ready.
    """
    first = holder or there[0]
    name, namespace, uid = _identity(first)
    is_pods = first.is_sandbox
    containers = [known for known in there if not (known is holder and is_pods)]
    containers.sort(key=lambda known: known is not holder)  # its own comes first
    sandbox = Sandbox(
        id=id,
        namespace=namespace,
        name=name,
        uid=uid,
        attempt=first.kube.attempt if first.kube and is_pods else 0,
        ready=any(known.running for known in there) and first.kube is None,
        static=bool(_STATIC_UID.fullmatch(uid)),
        containers=tuple(_container(known) for known in containers),
    )
    if holder is None:
        return sandbox
    summary = holder.summary
    return replace(
        sandbox,
        ready=holder.running,
        created=max(0, summary.created) * _SECOND,
        host_network=_host_network(summary.host_config),
        # One that could not be started still shows those it was to have.
        addresses=addresses_of(summary.network_settings) if holder.running is not False else (),
        names=holder.names,
    )


def _identity(known: _Known) -> tuple[str, str, str]:
    """Name, namespace and uid; of a container that is no pod's, docker's name."""
    labels, kube = known.labels, known.kube
    if labels.get(_POD):
        return labels[_POD], labels.get(_NAMESPACE, ""), labels.get(_UID, "")
    if kube:
        return kube.pod, kube.namespace, kube.uid
    return (known.names[0] if known.names else known.summary.id[:12]), "", ""


def _container(known: _Known) -> Container:
    kube, name = known.kube, known.labels.get(_CONTAINER, "")
    return Container(
        id=known.summary.id,
        name=name or (kube.container if kube else known.names[0] if known.names else ""),
        running=known.running,
        attempt=kube.attempt if kube else 0,
        names=known.names,
    )


def _mode(config: HostConfig | None) -> str:
    return config.network_mode if config else ""


def _host_network(config: HostConfig | None) -> bool | None:
    mode = _mode(config)
    return mode == "host" if mode else None


def addresses_of(settings: Networks | None) -> tuple[str, ...]:
    """As docker knows them: none of a pod whose network CNI made."""
    endpoints = (settings.networks or {}).values() if settings else ()
    given = (text for end in endpoints if end for text in (end.address, end.address6))
    return tuple(dict.fromkeys(found for text in given if (found := _address(text))))


def _address(text: str) -> str:
    """In the form of RFC 5952, "" for what is none."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    with suppress(OSError, ValueError):
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    return ""


def with_inspected(sandbox: Sandbox, found: Mapping[str, Inspected]) -> Sandbox:
    """Completed by what was found of it and of its containers, by id."""
    containers = tuple(_ran(each, found.get(each.id)) for each in sandbox.containers)
    sandbox = replace(sandbox, containers=containers)
    own = found.get(sandbox.id)
    if own is None:
        return sandbox
    host = _host_network(own.host_config)
    # Without a process the path is where the namespace was.
    settings = own.network_settings if _pid(own) else None
    return replace(
        sandbox,
        ready=_is_running(own),
        pid=_pid(own),
        host_network=sandbox.host_network if host is None else host,
        netns_path=settings.sandbox_key if settings and not host else "",
        addresses=addresses_of(settings),
        handler=own.host_config.runtime if own.host_config else "",
    )


def _ran(container: Container, found: Inspected | None) -> Container:
    if found is None:
        return container
    return replace(container, pid=_pid(found), running=_is_running(found))


def _is_running(found: Inspected) -> bool | None:
    return found.state.running if found.state else None


def _pid(found: Inspected) -> int | None:
    return found.state.pid if found.state and found.state.pid > 0 else None
