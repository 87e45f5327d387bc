"""Which ports a Service's endpoints listen on, pod by pod."""

from collections.abc import Iterator

from kubehop.model.pod import Container, Pod
from kubehop.model.service import Service, ServicePort, SlicePort

Ports = tuple[SlicePort, ...]


def ports_of(service: Service, pod: Pod) -> Ports:
    """The Service's ports with the numbers they have on this pod.

    A name that no container port has leaves out that port, for this pod only.
    """
    return tuple(
        SlicePort(name=port.name or "", port=number, protocol=port.protocol)
        for port in service.ports
        if (number := target_port(port, pod))
    )


def target_port(port: ServicePort, pod: Pod) -> int | None:
    """The number that `targetPort` means on the pod; unset means the Service's own port.

    A name is looked up with the protocol in all containers, then in restartable init containers.
    """
    target = port.target_port or port.port
    if isinstance(target, int):
        return target
    for container in _serving_containers(pod):
        for declared in container.ports or ():
            if declared.name == target and declared.protocol == port.protocol:
                return declared.container_port
    return None


def _serving_containers(pod: Pod) -> Iterator[Container]:
    yield from pod.spec.containers or ()
    for container in pod.spec.init_containers or ():
        if container.restart_policy == "Always":
            yield container
