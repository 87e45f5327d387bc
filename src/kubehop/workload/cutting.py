"""Endpoints of one Service, family and port list cut into EndpointSlices of a fair size."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kubehop.model.addresses import Family
from kubehop.model.meta import Labels, ObjectMeta, OwnerReference
from kubehop.model.service import (
    HEADLESS_LABEL,
    SERVICE_NAME_LABEL,
    EndpointSlice,
    Service,
    SliceEndpoint,
)
from kubehop.workload.families import family_name
from kubehop.workload.ports import Ports

MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MAX_ENDPOINTS = 100
"""Endpoints in a slice unless kube-controller-manager is told otherwise."""
RESERVED = frozenset({HEADLESS_LABEL, SERVICE_NAME_LABEL, MANAGED_BY_LABEL})


def cut(
    service: Service,
    wanted: Family,
    ports: Ports,
    endpoints: list[SliceEndpoint],
    controller: str,
    labels: Labels,
) -> Iterator[EndpointSlice]:
    """Slices of at most 100 endpoints each, still without names; an empty one if there are none."""
    metadata = ObjectMeta(
        name=service.name,
        namespace=service.metadata.namespace,
        labels=_labels(service, controller, labels),
        owner_references=(OwnerReference("Service", service.name, controller=True),),
    )
    for start in range(0, max(len(endpoints), 1), MAX_ENDPOINTS):
        yield EndpointSlice(
            metadata=metadata,
            address_type=family_name(wanted),
            endpoints=tuple(endpoints[start : start + MAX_ENDPOINTS]),
            ports=ports,
        )


def numbered(slices: Iterable[EndpointSlice]) -> tuple[EndpointSlice, ...]:
    """The slices named NAME-1, NAME-2 ..., where the API server would add a random suffix."""
    return tuple(
        replace(made, metadata=replace(made.metadata, name=f"{made.name}-{number}"))
        for number, made in enumerate(slices, start=1)
    )


def _labels(service: Service, controller: str, copied: Labels) -> Labels:
    headless = {} if service.cluster_ips else {HEADLESS_LABEL: ""}
    return {
        **{key: value for key, value in copied.items() if key not in RESERVED},
        **headless,
        SERVICE_NAME_LABEL: service.name,
        MANAGED_BY_LABEL: controller,
    }
