"""Everything that explains the network of a live cluster, as an Inventory. Only ever GET."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from kubehop.live import access, rights
from kubehop.live.api import FORBIDDEN, NOT_FOUND, Api, Refused
from kubehop.live.limits import DEFAULT, Limits
from kubehop.live.lists import Objects, get_config_map, list_kind
from kubehop.live.threads import Task, gather
from kubehop.model.config import READ_CONFIG_MAPS, ConfigMap
from kubehop.model.errors import ClusterError
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS, Kind
from kubehop.model.meta import Object
from kubehop.source.merge import Located, inventory

Progress = Callable[[str, int], None]
Lists = Mapping[str, Objects | Refused]
Maps = Mapping[tuple[str, str], ConfigMap | Refused]

# Not listed: ConfigMaps hold other people's data, Endpoints only repeat EndpointSlices.
_LISTED = tuple(kind for name, kind in KINDS.items() if name not in ("ConfigMap", "Endpoints"))


def fetch(
    *,
    context: str | None = None,
    kubeconfig: str | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Inventory:
    """The objects of all KINDS in the cluster of `context`, from `kubeconfig` or kubectl's default.

    What the credentials may not read is a line in `unknown`. `progress(plural, objects so far)`
    is called in the caller's thread. Raises ClusterError when the cluster
    cannot be asked or lets nothing be read, InputError when it serves an object that cannot be.
    """
    cluster = access.connect(context=context, kubeconfig_file=kubeconfig)
    try:
        return _read(Api(cluster, limits), progress or _silent)
    finally:
        cluster.close()


def context_namespace(*, context: str | None = None, kubeconfig: str | None = None) -> str:
    """The namespace that `-n` defaults to: the context's, else "default".

    Raises ClusterError when the kubeconfig cannot be read or lacks the context.
    """
    return access.namespace(context=context, kubeconfig_file=kubeconfig)


def _silent(plural: str, objects: int) -> None:
    """Progress that nobody watches."""


def _read(api: Api, progress: Progress) -> Inventory:
    """The answers of all kinds, merged; the first error ends the other requests."""
    try:
        lists = _all_lists(api, progress)
        maps = {key: get_config_map(api, *key) for key in sorted(READ_CONFIG_MAPS)}
    finally:
        api.stop()
    _refuse_nothing(api, lists)
    return _merged(api, lists, maps)


def _all_lists(api: Api, progress: Progress) -> Lists:
    def told(name: str, objects: int) -> None:
        progress(KINDS[name].plural, objects)

    lists = gather(_tasks(api, _LISTED), api.limits.workers, told)
    if isinstance(lists["EndpointSlice"], Refused):
        lists |= gather(_tasks(api, (KINDS["Endpoints"],)), 1, told)
    return lists


def _tasks(api: Api, kinds: Iterable[Kind]) -> dict[str, Task[Objects | Refused]]:
    return {kind.name: partial(list_kind, api, kind) for kind in kinds}


def _refuse_nothing(api: Api, lists: Lists) -> None:
    """A cluster that shows nothing at all, or is none, is an error and not an empty Inventory."""
    refused = {name: answer for name, answer in lists.items() if isinstance(answer, Refused)}
    for name, answer in refused.items():
        if answer.status == NOT_FOUND and not KINDS[name].group:
            raise ClusterError(
                f"{api.access.host} serves no {KINDS[name].plural}: "
                "is this the URL of a Kubernetes API?"
            )
    if len(refused) == len(lists):
        message = next(answer.message for answer in refused.values())
        raise ClusterError(
            f"{api.access.host}: {api.access.identity} may list nothing in all namespaces "
            f"(needs: get, list on {', '.join(kind.plural for kind in _LISTED)}): {message}"
        )


def _merged(api: Api, lists: Lists, maps: Maps) -> Inventory:
    objects: list[Object] = [answer for answer in maps.values() if isinstance(answer, ConfigMap)]
    complete, unknown = set(), []
    for name, answer in lists.items():
        if not isinstance(answer, Refused):
            objects += answer
            complete.add(name)
        elif answer.status == FORBIDDEN:
            unknown.append(rights.may_not_list(KINDS[name]))
    unknown += [
        rights.may_not_get_config_map(*key)
        for key, answer in maps.items()
        if isinstance(answer, Refused) and answer.status == FORBIDDEN
    ]
    return inventory(
        [Located(item, api.access.host, None) for item in objects],
        complete=frozenset(complete),
        unknown=tuple(sorted(unknown)),
        ignored={},
    )
