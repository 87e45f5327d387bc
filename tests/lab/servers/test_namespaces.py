"""Listeners in namespaces of their own: the same port everywhere, all addresses, AnyIP."""

import socket
from dataclasses import replace

from kubehop.lab.kernel import Base
from kubehop.lab.plan.values import Address, Listener, Make, Remove, Route, RouteKind, Sandbox
from kubehop.lab.servers import Servers
from tests.lab.inside import as_everyone, in_lab
from tests.lab.servers.talking import (
    ask,
    connect,
    echo,
    fields,
    get,
    refuses,
    sandboxes,
    unreachable,
)

A, B = "pod/default/a", "pod/default/b"
SIX = "2001:db8:7::7"


def at(namespace: str, protocol: str = "TCP") -> Listener:
    return echo(80, protocol, "", namespace.removeprefix("pod/"), namespace)


BOTH = [at(namespace, protocol) for namespace in (A, B) for protocol in ("TCP", "UDP")]


def any_ip(namespace: str) -> list[Route]:
    return [
        Route(namespace, cidr, "lo", kind=RouteKind.LOCAL, table=255)
        for cidr in ("198.51.100.0/24", "2001:db8:7::/48")
    ]


@as_everyone
@in_lab
def test_each_namespace_has_ports_of_its_own(base: Base, uid: int | None) -> None:
    with sandboxes(base, [A, B]) as kernel:
        servers = Servers(kernel.inside)
        servers.start()
        assert servers.apply((), BOTH) == ()
        for namespace in (A, B):
            with kernel.inside(namespace):
                for host in ("127.0.0.1", "::1"):
                    assert fields(get(80, host=host))["pod"] == namespace.removeprefix("pod/")
                    assert fields(ask(80, host=host)[0])["pod"] == namespace.removeprefix("pod/")
                assert refuses(81)
        assert servers.apply([one for one in BOTH if one.namespace == A], ()) == ()
        with kernel.inside(A):
            assert refuses(80)
            assert refuses(80, "::1")
            assert unreachable(80)
        with kernel.inside(B):
            assert get(80)
        servers.stop()


@as_everyone
@in_lab
def test_an_answer_comes_from_the_address_that_was_asked(base: Base, uid: int | None) -> None:
    addresses = [Address(A, "lo", "10.1.2.3/32"), Address(A, "lo", f"{SIX[:-1]}9/128")]
    with sandboxes(base, [A], *addresses, *any_ip(A)) as kernel:
        servers = Servers(kernel.inside)
        servers.start()
        assert servers.apply((), BOTH[:2]) == ()
        with kernel.inside(A):
            for host in ("127.0.0.1", "127.9.9.9", "10.1.2.3", "198.51.100.77", "::1", SIX):
                local = f"[{host}]:80" if ":" in host else f"{host}:80"
                answer, peer = ask(80, b"probe:7", host)
                assert peer == (host, 80)
                assert fields(answer)["local"] == local
                assert fields(answer)["probe"] == "7"
                with connect(80, host) as sock:
                    assert fields(get(80, host=host))["local"] == local
                    assert sock.getpeername()[0] == host
        servers.stop()


@as_everyone
@in_lab
def test_one_address_only(base: Base, uid: int | None) -> None:
    with sandboxes(base, [A], *any_ip(A)) as kernel:
        servers = Servers(kernel.inside)
        servers.start()
        some = [
            replace(listener, address=address)
            for listener in BOTH[:2]
            for address in ("198.51.100.7", SIX)
        ]
        assert servers.apply((), some) == ()
        with kernel.inside(A):
            for host in ("198.51.100.7", SIX):
                assert get(80, host=host)
                assert ask(80, host=host)[1] == (host, 80)
            assert refuses(80)
            assert refuses(80, "::1")
        servers.stop()


@in_lab
def test_a_namespace_that_was_made_anew(base: Base) -> None:
    with sandboxes(base, [A]) as kernel:
        servers = Servers(kernel.inside)
        servers.start()
        servers.apply((), BOTH[:2])
        sandbox = Sandbox(A, "test")
        kernel.apply([Remove(sandbox), Make(sandbox)])
        with kernel.inside(A):
            assert refuses(80)
        assert servers.apply((), (), remade=[A]) == ()
        with kernel.inside(A):
            assert get(80)
            assert ask(80)
        servers.stop()


@in_lab
def test_without_ipv6(base: Base) -> None:
    with sandboxes(base, [A]) as kernel:
        with kernel.inside(A), open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as setting:
            setting.write("1")
        servers = Servers(kernel.inside)
        servers.start()
        assert servers.apply((), BOTH[:2]) == ()
        with kernel.inside(A):
            assert get(80)
            assert ask(80)
        servers.stop()


@in_lab
def test_hundreds_of_namespaces(base: Base) -> None:
    names = [f"pod/default/p{n}" for n in range(100)]
    with sandboxes(base, names) as kernel:
        servers = Servers(kernel.inside)
        servers.start()
        listeners = [at(name, protocol) for name in names for protocol in ("TCP", "UDP")]
        assert servers.apply((), listeners) == ()
        for name in names:
            with kernel.inside(name), socket.create_connection(("127.0.0.1", 80), 5) as sock:
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert f"pod: {name.removeprefix('pod/')}\n".encode() in sock.recv(4096)
        assert len(servers._open) == 200
        servers.apply(listeners, ())
        assert not servers._open
        servers.stop()
