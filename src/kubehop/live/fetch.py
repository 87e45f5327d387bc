"""Everything that explains the network of a live cluster, as an Inventory. Only ever GET."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from kubehop.live import access, rights
from kubehop.live.api import FORBIDDEN, NOT_FOUND, Api, Refused
from kubehop.live.limits import DEFAULT, Limits
from kubehop.live.lists import Objects, get_config_map, list_kind
from kubehop.live.scoped import Scoped, list_scoped
from kubehop.live.threads import Task, gather
from kubehop.model.config import READ_CONFIG_MAPS, ConfigMap
from kubehop.model.errors import ClusterError
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS, Kind
from kubehop.model.meta import Object
from kubehop.source.merge import Located, inventory

Progress = Callable[[str, int], None]
Lists = Mapping[str, Objects | Scoped | Refused]
Maps = Mapping[tuple[str, str], ConfigMap | Refused]

# Not listed: ConfigMaps hold other people's data, Endpoints only repeat EndpointSlices.
_LISTED = tuple(kind for name, kind in KINDS.items() if name not in ("ConfigMap", "Endpoints"))


def fetch(
    *,
    context: str | None = None,
    kubeconfig: str | None = None,
    namespaces: Sequence[str] = (),
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
) -> Inventory:
    """The objects of all KINDS in the cluster of `context`, from `kubeconfig` or kubectl's default.

    What may not be listed in all namespaces is listed in `namespaces`, the context's by default.
    What the credentials may not read is a line in `unknown`. `progress(plural, objects so far)`
    is called in the caller's thread. Raises ClusterError when the cluster
    cannot be asked or lets nothing be read, InputError when it serves an object that cannot be.
    """
    cluster = access.connect(context=context, kubeconfig_file=kubeconfig)

    def own() -> Sequence[str]:
        return namespaces or (context_namespace(context=context, kubeconfig=kubeconfig),)

    try:
        return _read(Api(cluster, limits), own, progress or _silent)
    finally:
        cluster.close()


def context_namespace(*, context: str | None = None, kubeconfig: str | None = None) -> str:
    """The namespace that `-n` defaults to: the context's, else "default".

    Raises ClusterError when the kubeconfig cannot be read or lacks the context.
    """
    return access.namespace(context=context, kubeconfig_file=kubeconfig)


def _silent(plural: str, objects: int) -> None:
    """Progress that nobody watches."""


def _read(api: Api, own: Callable[[], Sequence[str]], progress: Progress) -> Inventory:
    """The answers of all kinds, merged; the first error ends the other requests."""
    try:
        lists = _all_lists(api, own, progress)
        maps = {key: get_config_map(api, *key) for key in sorted(READ_CONFIG_MAPS)}
    finally:
        api.stop()
    _refuse_nothing(api, lists, own)
    return _merged(api, lists, maps)


def _all_lists(api: Api, own: Callable[[], Sequence[str]], progress: Progress) -> Lists:
    def told(name: str, objects: int) -> None:
        progress(KINDS[name].plural, objects)

    def listed(kinds: Iterable[Kind]) -> Lists:
        """In all namespaces, and what is forbidden there in those of one's own."""
        lists: Lists = gather(_tasks(api, kinds), api.limits.workers, told)
        forbidden = [KINDS[name] for name, answer in lists.items() if _is_scoped(name, answer)]
        if not forbidden:
            return lists
        namespaces = own()
        tasks = {kind.name: partial(list_scoped, api, kind, namespaces) for kind in forbidden}
        scoped = gather(tasks, api.limits.workers, told)
        return {**lists, **{name: found for name, found in scoped.items() if found}}

    lists = listed(_LISTED)
    if isinstance(lists["EndpointSlice"], Refused):
        lists = {**lists, **listed((KINDS["Endpoints"],))}
    return lists


def _is_scoped(name: str, answer: Objects | Scoped | Refused) -> bool:
    """True for what may still be listed in one namespace."""
    forbidden = isinstance(answer, Refused) and answer.status == FORBIDDEN
    return forbidden and KINDS[name].namespaced


def _tasks(api: Api, kinds: Iterable[Kind]) -> dict[str, Task[Objects | Refused]]:
    return {kind.name: partial(list_kind, api, kind) for kind in kinds}


def _refuse_nothing(api: Api, lists: Lists, own: Callable[[], Sequence[str]]) -> None:
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
        listed = ", ".join(kind.plural for kind in _LISTED)
        raise ClusterError(
            f"{api.access.host}: {api.access.identity} may list nothing in all namespaces, nor in "
            f"namespace {', '.join(own())} (needs: get, list on {listed}): {message}"
        )


def _merged(api: Api, lists: Lists, maps: Maps) -> Inventory:
    objects: list[Object] = [answer for answer in maps.values() if isinstance(answer, ConfigMap)]
    complete, unknown = set(), []
    for name, answer in lists.items():
        if isinstance(answer, Scoped):
            objects += answer.objects
            unknown.append(rights.may_list_only_in(KINDS[name], answer.namespaces))
        elif not isinstance(answer, Refused):
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
