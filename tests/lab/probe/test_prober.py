"""Probes with a kernel: every verdict, and what is no result at all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.values import FABRIC, Listener, Make, Nft, Role, Sandbox
from kubehop.lab.probe import Fabric, Link, Probe, Prober
from kubehop.lab.servers import Servers
from kubehop.trace.values import Verdict
from tests.lab.inside import as_everyone, in_lab

DROPS = "table inet t {\nchain i {\ntype filter hook input priority 0\nth dport 82 drop\n}\n}\n"
LISTENERS = (
    Listener(FABRIC, "TCP", "", 80, pod="default/web", node="n0"),
    Listener(FABRIC, "UDP", "", 80, pod="default/web", node="n0"),
    Listener(FABRIC, "TCP", "", 90, Role.HEALTH, service="default/web"),
)
SELF = Fabric({"lo": "node/n0"})


@contextmanager
def scene(base: Base) -> Iterator[Prober]:
    """One namespace whose `lo` is the fabric's only link."""
    kernel = Kernel(base)
    try:
        kernel.apply([Make(Sandbox(FABRIC, FABRIC)), Nft(FABRIC, DROPS)])
        servers = Servers(kernel.inside)
        servers.start()
        try:
            servers.apply((), LISTENERS)
            yield Prober(kernel, SELF)
        finally:
            servers.stop()
    finally:
        kernel.close()


@as_everyone
@in_lab
def test_every_verdict_of_every_protocol_in_both_families(base: Base, uid: int | None) -> None:
    del uid
    wanted = {80: Verdict.DELIVERED, 81: Verdict.REJECTED, 82: Verdict.DROPPED}
    probes = [
        Probe(FABRIC, "", address, port, protocol, 3)
        for address in ("127.0.0.1", "::1")
        for protocol in ("TCP", "UDP")
        for port in wanted
    ]
    nowhere = [
        Probe(FABRIC, "", to, 80, p) for to in ("192.0.2.1", "2001:db8::1") for p in ("TCP", "UDP")
    ]
    with scene(base) as prober:
        observed = prober.run([*probes, *nowhere], 0.3)
    assert [one.probe for one in observed] == [*(p for p in probes for _ in range(3)), *nowhere]
    for one in observed:
        if one.probe in nowhere:
            assert (one.verdict, one.path) == (Verdict.UNROUTED, ())
            continue
        here = one.probe.destination
        assert one.verdict is wanted[one.probe.port], one
        assert one.path is not None
        assert one.path[0] == Link("", "node/n0", here, here, one.probe.port)
        if one.verdict is Verdict.DELIVERED:
            told = (one.pod, one.node, one.address, one.port, one.source_seen)
            assert told == ("default/web", "n0", here, 80, here)


@in_lab
def test_hundreds_at_once_and_none_is_lost(base: Base) -> None:
    many = [Probe(FABRIC, "", "127.0.0.1", 80, protocol, 1500) for protocol in ("TCP", "UDP")]
    silent = Probe(FABRIC, "", "127.0.0.1", 82, "TCP", 300)
    with scene(base) as prober:
        counts = Counter((one.probe.port, one.verdict) for one in prober.run([*many, silent], 1))
    assert counts == {(80, Verdict.DELIVERED): 3000, (82, Verdict.DROPPED): 300}


@in_lab
def test_a_source_may_be_bound(base: Base) -> None:
    with scene(base) as prober:
        (one,) = prober.run([Probe(FABRIC, "127.0.0.9", "127.0.0.1", 80)], 1)
    assert one.source_seen == "127.0.0.9"


@in_lab
def test_what_is_no_result_is_an_error(base: Base) -> None:
    with scene(base) as prober:
        with pytest.raises(ValueError, match="503"):
            prober.run([Probe(FABRIC, "", "127.0.0.1", 90)], 1)
        with pytest.raises(OSError, match="EACCES"):
            prober.run([Probe(FABRIC, "", "127.255.255.255", 80, "UDP")], 1)
