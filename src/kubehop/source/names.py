"""Names and labels as the API validates them (k8s.io/apimachinery/pkg/util/validation).

Also what keeps terminal escapes, slashes and line breaks out of everything that shows a name.
"""

import re
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_RELAXED = r"[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?"
_SEARCH = re.compile(rf"{_RELAXED}(?:\.{_RELAXED})*")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:-?[a-z0-9])*")


def is_label(name: str) -> bool:
    """A DNS-1123 label: the name of a namespace, a Service or a Service's port."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


def is_subdomain(name: str) -> bool:
    """A DNS-1123 subdomain: the name of everything else."""
    return len(name) <= 253 and _SUBDOMAIN.fullmatch(name) is not None


def is_port_name(name: str) -> bool:
    """An IANA service name: a container's port, or what a `targetPort` refers to."""
    return len(name) <= 15 and _PORT_NAME.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def is_label_value(value: str) -> bool:
    """What a label may be set to; empty is fine."""
    return value == "" or (len(value) <= 63 and _QUALIFIED.fullmatch(value) is not None)


@lru_cache(maxsize=4096)
def is_label_key(key: str) -> bool:
    """A label's name, with an optional DNS prefix: "app", "kubernetes.io/os"."""
    prefix, slash, name = key.rpartition("/")
    fits = 0 < len(name) <= 63 and _QUALIFIED.fullmatch(name) is not None
    return fits and (not slash or is_subdomain(prefix))


def is_search_domain(name: str) -> bool:
    """A `dnsConfig` search domain: the root, or a subdomain that may have underscores
    (RelaxedDNSSearchValidation) and a trailing dot."""
    stripped = name.removesuffix(".")
    return name == "." or (len(stripped) <= 253 and _SEARCH.fullmatch(stripped) is not None)


def is_word(text: str) -> bool:
    """Printable and without white space: it can stand in one place of a line."""
    return text.isprintable() and not any(char.isspace() for char in text)
