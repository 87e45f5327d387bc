"""The names that a lab's Internet knows: what its resolver serves and a prediction assumes.

Documentation addresses (RFC 5737, 3849): the outside answers at any address. Every other name
does not exist, such as those that a node's search domain makes (`web.ca-central-1...`).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from kubehop.dns.names import folded
from kubehop.dns.outside import Mood, Outside, outside_for
from kubehop.dns.settings import DNSSettings

_NAMES = (
    "example.com",
    "www.example.com",
    "api.example.com",
    "rancher.example.com",
    "example.net",
    "example.org",
    "kubernetes.io",
    "www.kubernetes.io",
    "registry.k8s.io",
    "rancher.com",
    "github.com",
    "api.github.com",
    "google.com",
    "www.google.com",
    "docker.io",
    "registry-1.docker.io",
    "deb.debian.org",
    "pypi.org",
)
_FOUR_ONLY = frozenset(("github.com", "api.github.com"))
"""As in the world: lookups of these see an empty answer for AAAA."""


def _addresses(name: str, number: int) -> tuple[str, ...]:
    four = f"192.0.2.{number}"
    return (four,) if name in _FOUR_ONLY else (four, f"2001:db8:2::{number:x}")


PUBLIC_HOSTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: _addresses(name, 100 + number) for number, name in enumerate(_NAMES)}
)
"""Addresses by name, without the trailing dot."""


def public_settings(settings: DNSSettings) -> DNSSettings:
    """The settings with which a prediction knows what a lab's Internet knows.

    What is said in `settings` wins: its `hosts`, and a `mood` other than that all names exist.
    """
    given = {folded(name) for name in settings.hosts}
    known = {name: found for name, found in PUBLIC_HOSTS.items() if folded(name) not in given}
    mood = Mood.NXDOMAIN if settings.mood is Mood.ANSWERS else settings.mood
    return replace(settings, hosts={**known, **settings.hosts}, mood=mood)


def public_zone(settings: DNSSettings) -> Outside:
    """What a resolver in a lab's outside answers with: the same as predicted."""
    public = public_settings(settings)
    return outside_for((), hosts=public.hosts, mood=public.mood, zones=())
