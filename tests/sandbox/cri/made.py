"""CRI's answers for tests, as a runtime would encode them."""

import json
from collections.abc import Mapping
from typing import Any

from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.protobuf import decode, encode
from tests.sandbox.cri.server import Reply

ID = "4670c1831b9d85b6dccc914b89fdec07230bacdff463af6f8d924d02220484f2"


def status(
    info: Mapping[str, Any] | None = None,
    id: str = ID,
    network: int | None = 0,
    ips: tuple[str, ...] = ("10.42.0.8", "fd00::8"),
    state: int = cri.READY,
    handler: str = "",
) -> cri.PodSandboxStatusResponse:
    """A verbose status; without `info` it has none."""
    linux = cri.Linux(cri.Namespaces(cri.NamespaceOption(network))) if network is not None else None
    more = tuple(map(cri.PodIP, ips[1:]))
    return cri.PodSandboxStatusResponse(
        cri.PodSandboxStatus(
            id=id,
            state=state,
            created_at=7,
            network=cri.NetworkStatus(ips[0], more) if ips else None,
            linux=linux,
            runtime_handler=handler,
        ),
        {"info": json.dumps(info)} if info is not None else {},
    )


class Runtime:
    """Answers of a runtime that has `statuses`, by CRI's `version`."""

    def __init__(
        self, *statuses: cri.PodSandboxStatusResponse, name: str = "test", version: str = "v1"
    ) -> None:
        self.statuses = {each.status.id: each for each in statuses if each.status}
        self.name, self.version = name, version
        self.handler = ""

    def __call__(self, path: str, message: bytes) -> Reply:
        service, method = path.removeprefix("/").split("/")
        if service != f"runtime.{self.version}.RuntimeService":
            return Reply(None, 12, f"unknown service {service}")
        match method:
            case "Version":
                return Reply(encode(cri.VERSION, cri.Version(self.name, "1.2")))
            case "ListPodSandbox":
                return Reply(encode(cri.POD_SANDBOXES, cri.PodSandboxes(self.listed())))
            case "ListContainers":
                return Reply(encode(cri.CONTAINERS, cri.Containers(self.containers())))
        return self.status(decode(cri.STATUS_REQUEST, message))

    def status(self, asked: cri.StatusRequest) -> Reply:
        assert asked.verbose
        found = self.statuses.get(asked.id)
        if found is None:
            return Reply(None, 5, f"could not find pod {asked.id}")
        return Reply(encode(cri.SANDBOX_STATUS, found))

    def listed(self) -> tuple[cri.PodSandbox, ...]:
        return tuple(
            cri.PodSandbox(
                id=id,
                metadata=cri.Metadata(f"pod-{number:03}", f"uid-{number}", "shop", number % 2),
                created_at=number,
            )
            for number, id in enumerate(self.statuses)
        )

    def containers(self) -> tuple[cri.Container, ...]:
        return tuple(
            cri.Container(f"{name}{id[1:]}", id, cri.Metadata(f"c-{name}"), cri.RUNNING)
            for id in self.statuses
            for name in "ba"
        )
