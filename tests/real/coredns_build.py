"""The real CoreDNS, built from the pinned Go modules in `coredns/`."""

from pathlib import Path

from tests.real.go_build import Module

_COREDNS = Module(
    Path(__file__).parent / "coredns",
    "CoreDNS",
    "github.com/coredns/coredns",
    files=("go.mod", "go.sum", "main.go"),
)


def coredns() -> Path:
    """The program, built now if it is not in the cache."""
    return _COREDNS.built() / "coredns"
