"""`as:` of a kubeconfig user, as the headers that the API server obeys.

The official client ignores these fields and so would act with more rights than kubectl does.
Rules: client-go `transport.NewImpersonatingRoundTripper`, kubernetes.io "User impersonation".
"""

from collections.abc import Mapping
from urllib.parse import quote

from kubehop.model.errors import ClusterError

Header = tuple[str, str]

# RFC 7230 `tchar` without letters and digits, and without "%", which client-go escapes too.
_TOKEN = "!#$&'*+-.^_`|~"  # noqa: S105 - an HTTP token, not a secret


def headers(user: Mapping[str, object]) -> tuple[Header, ...]:
    """The headers for `as`, `as-uid`, `as-groups` and `as-user-extra` of a kubeconfig user.

    A group is one header each: the server takes "a, b" for one group of that name.
    Raises ClusterError for what cannot be sent as meant: acting as somebody else than asked
    for is worse than not acting.
    """
    name = user.get("as")
    if not name:
        return _nobody(user)
    extra = user.get("as-user-extra") or {}
    if not isinstance(extra, Mapping):
        raise ClusterError("kubeconfig: as-user-extra must be a map of lists")
    return (
        ("Impersonate-User", _value("as", name)),
        *(("Impersonate-Uid", _value("as-uid", uid)) for uid in _maybe(user.get("as-uid"))),
        *(("Impersonate-Group", group) for group in _values("as-groups", user.get("as-groups"))),
        *(
            (f"Impersonate-Extra-{quote(str(key), safe=_TOKEN)}", value)
            for key, values in extra.items()
            for value in _values(f"as-user-extra.{key}", values)
        ),
    )


def _nobody(user: Mapping[str, object]) -> tuple[Header, ...]:
    orphans = [field for field in ("as-uid", "as-groups", "as-user-extra") if user.get(field)]
    if orphans:
        raise ClusterError(f"kubeconfig: {orphans[0]} needs a user name in `as` to go with")
    return ()


def _maybe(value: object) -> tuple[object, ...]:
    return (value,) if value else ()


def _values(field: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list | None):
        raise ClusterError(f"kubeconfig: {field} must be a list")
    return tuple(_value(field, value) for value in values or ())


def _value(field: str, value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ClusterError(f"kubeconfig: {field} must be printable ASCII to go into a header")
    return value
