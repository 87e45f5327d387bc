"""All objects of one kind: pages, `continue`, and starting over when a list has expired.

Source of the rules: kubernetes.io "API Concepts", retrieving large result sets in chunks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from kubehop.live.api import GONE, NOT_FOUND, Api, Refused
from kubehop.live.threads import Grown
from kubehop.model.config import ConfigMap
from kubehop.model.errors import ClusterError, InputError
from kubehop.model.kinds import KINDS, Kind
from kubehop.model.meta import Object
from kubehop.source.pages import Broken, Page, decode_page

Objects = tuple[Object, ...]
_ALL: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Listed:
    """Objects, and the resourceVersion at which they were so: a watch goes on from there."""

    objects: Objects
    version: str = ""


def list_kind(api: Api, kind: Kind, grown: Grown, namespace: str = "") -> Objects | Refused:
    """Every object of `kind` in all namespaces or in one, or why the server does not list it.

    Tries each API version while the server does not serve it. `grown` is told how many
    objects there are after each page. Raises ClusterError when the server fails.
    """
    outcome: Listed | Refused = Refused(NOT_FOUND, "")
    for version in kind.api_versions:
        outcome = list_at(api, kind, path(kind, version, namespace), grown)
        if not (isinstance(outcome, Refused) and outcome.status == NOT_FOUND):
            break
    return outcome.objects if isinstance(outcome, Listed) else outcome


def path(kind: Kind, version: str, namespace: str = "") -> str:
    """Where the API lists `kind` in `version`: "/apis/batch/v1beta1/cronjobs"."""
    root = f"/{'apis' if '/' in version else 'api'}/{version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"


def list_at(
    api: Api,
    kind: Kind,
    where: str,
    grown: Grown,
    *,
    query: Mapping[str, str] = _ALL,
    broken: Broken | None = None,
) -> Listed | Refused:
    """One snapshot of what `query` selects: pages of different snapshots are never joined.

    A server that expires its lists faster than they can be read is asked for one whole list.
    `broken` is told about an object that cannot be read; without it that is an InputError.
    """
    reader = _Reader(api, kind, where, query, broken)
    for _ in range(api.limits.restarts):
        outcome = reader.pages(api.limits.page_size, grown)
        if not (isinstance(outcome, Refused) and outcome.status == GONE):
            return outcome
    outcome = reader.pages(None, grown)
    if isinstance(outcome, Refused) and outcome.status == GONE:
        raise ClusterError(f"{api.access.host}: list of {kind.plural} expires again and again")
    return outcome


@dataclass(frozen=True, slots=True)
class _Reader:
    """One list to read: what is asked, and how its pages become objects."""

    api: Api
    kind: Kind
    where: str
    query: Mapping[str, str]
    broken: Broken | None

    def pages(self, limit: int | None, grown: Grown) -> Listed | Refused:
        objects: list[Object] = []
        query = {**self.query, **({"limit": str(limit)} if limit else {})}
        version = ""
        for _ in range(self.api.limits.pages):
            page = self.api.get(_url(self.where, query), self._read)
            if isinstance(page, Refused):
                return page
            objects += page.objects
            # Later pages repeat it; to watch from the first is right even where they do not.
            version = version or page.resource_version
            grown(len(objects))
            if not page.continue_token:
                return Listed(tuple(objects), version)
            query["continue"] = page.continue_token
        raise ClusterError(
            f"{self.api.access.host}: list of {self.kind.plural} has no end: {len(objects)} "
            f"objects after {self.api.limits.pages} pages"
        )

    def _read(self, body: bytes) -> Page:
        _check_list(body)
        return decode_page(
            self.kind, body, f"{self.api.access.host}{self.where}", broken=self.broken
        )


def _url(where: str, query: Mapping[str, str]) -> str:
    return f"{where}?{urlencode(query)}" if query else where


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
