"""All objects of one kind: pages, `continue`, and starting over when a list has expired.

Source of the rules: kubernetes.io "API Concepts", retrieving large result sets in chunks.
"""

from urllib.parse import urlencode

import msgspec

from kubehop.live.api import GONE, NOT_FOUND, Api, Refused
from kubehop.live.threads import Grown
from kubehop.model.config import ConfigMap
from kubehop.model.errors import ClusterError, InputError
from kubehop.model.kinds import KINDS, Kind
from kubehop.model.meta import Object
from kubehop.source.pages import Page, decode_page

Objects = tuple[Object, ...]


def list_kind(api: Api, kind: Kind, grown: Grown) -> Objects | Refused:
    """Every object of `kind` in all namespaces, or why the server does not list it.

    Tries each API version while the server does not serve it. `grown` is told how many
    objects there are after each page. Raises ClusterError when the server fails.
    """
    outcome: Objects | Refused = Refused(NOT_FOUND, "")
    for version in kind.api_versions:
        outcome = _consistent(api, kind, path(kind, version), grown)
        if not (isinstance(outcome, Refused) and outcome.status == NOT_FOUND):
            break
    return outcome


def path(kind: Kind, version: str, namespace: str = "") -> str:
    """Where the API lists `kind` in `version`: "/apis/batch/v1beta1/cronjobs"."""
    root = f"/{'apis' if '/' in version else 'api'}/{version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"


def _consistent(api: Api, kind: Kind, where: str, grown: Grown) -> Objects | Refused:
    """One snapshot: pages of different snapshots are never joined.

    A server that expires its lists faster than they can be read is asked for one whole list.
    """
    for _ in range(api.limits.restarts):
        outcome = _pages(api, kind, where, api.limits.page_size, grown)
        if not (isinstance(outcome, Refused) and outcome.status == GONE):
            return outcome
    outcome = _pages(api, kind, where, None, grown)
    if isinstance(outcome, Refused) and outcome.status == GONE:
        raise ClusterError(f"{api.access.host}: list of {kind.plural} expires again and again")
    return outcome


def _pages(api: Api, kind: Kind, where: str, limit: int | None, grown: Grown) -> Objects | Refused:
    objects: list[Object] = []
    query = {"limit": str(limit)} if limit else {}

    def read(body: bytes) -> Page:
        _check_list(body)
        return decode_page(kind, body, f"{api.access.host}{where}")

    for _ in range(api.limits.pages):
        page = api.get(f"{where}?{urlencode(query)}" if query else where, read)
        if isinstance(page, Refused):
            return page
        objects += page.objects
        grown(len(objects))
        if not page.continue_token:
            return tuple(objects)
        query["continue"] = page.continue_token
    raise ClusterError(
        f"{api.access.host}: list of {kind.plural} has no end: {len(objects)} objects after "
        f"{api.limits.pages} pages"
    )


class _Kind(msgspec.Struct):
    kind: str = ""


_kind = msgspec.json.Decoder(_Kind)


def _check_list(body: bytes) -> None:
    """Other JSON, like the error of a gateway, must not pass for an empty list."""
    try:
        kind = _kind.decode(body).kind
    except msgspec.MsgspecError as error:
        raise InputError(str(error)) from error
    if not kind.endswith("List"):
        raise InputError(f'kind is "{kind}", not a list')


def get_config_map(api: Api, namespace: str, name: str) -> ConfigMap | Refused:
    """One ConfigMap by name: it is never listed, because others may hold secrets."""
    kind = KINDS["ConfigMap"]
    where = f"{path(kind, kind.api_versions[0], namespace)}/{name}"

    def read(body: bytes) -> ConfigMap:
        try:
            return msgspec.json.decode(body, type=ConfigMap)
        except msgspec.MsgspecError as error:
            raise InputError(str(error), file=f"{api.access.host}{where}") from error

    return api.get(where, read)
