"""What cluster DNS follows in an API, and how each of it is listed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from kubehop.live.api import FORBIDDEN, NOT_FOUND, Api, Refused
from kubehop.live.lists import Listed, get_config_map, list_at, path
from kubehop.model.kinds import KINDS, Kind
from kubehop.source.pages import Broken


def _listed(api: Api, resource: "Resource", broken: Broken) -> Listed | Refused:
    return list_at(
        api, resource.kind, resource.path, _uncounted, query=resource.query, broken=broken
    )


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind, where it is, and what selects in it."""

    kind: Kind
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    read: Callable[[Api, "Resource", Broken], Listed | Refused] = _listed
    """All of it now; without a version where it cannot be watched."""

    @property
    def plural(self) -> str:
        return self.kind.plural

    def watch(self, version: str, seconds: int) -> str:
        """The path and query of a watch from `version` that the server ends after `seconds`."""
        query = {
            **self.query,
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        return f"{self.path}?{urlencode(query)}"


def _uncounted(objects: int) -> None:
    """Progress that nobody watches."""


def _config_map(api: Api, resource: Resource, broken: Broken) -> Listed | Refused:
    """Listed by its name, so that it can be watched; where that is forbidden only got."""
    listed = _listed(api, resource, broken)
    if not (isinstance(listed, Refused) and listed.status == FORBIDDEN):
        return listed
    got = get_config_map(api, "kube-system", "coredns")
    if isinstance(got, Refused):
        return Listed(()) if got.status == NOT_FOUND else got
    return Listed((got,))


def _all(name: str) -> Resource:
    return Resource(KINDS[name], KINDS[name].path)


NAMES = (_all("Namespace"), _all("Service"), _all("EndpointSlice"))
PODS = _all("Pod")
COREFILE = Resource(
    KINDS["ConfigMap"],
    path(KINDS["ConfigMap"], "v1", "kube-system"),
    {"fieldSelector": "metadata.name=coredns"},
    _config_map,
)
