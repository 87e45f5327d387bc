"""A kernel that holds a lab's things, in memory, as strict as the real one.

What is there cannot be made, what is not there cannot be taken away, and nothing can be made on
a device that is not there. What the kernel takes away by itself goes here as well.
"""

from collections.abc import Callable, Iterable

from kubehop.lab.plan.values import (
    Address,
    ForgetFlows,
    Forward,
    Lookup,
    Make,
    Neighbour,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Route,
    Sandbox,
    Step,
    Sysctl,
    Thing,
    Veth,
    Vxlan,
)

Key = tuple[object, ...]


def keys_of(thing: Thing) -> tuple[Key, ...]:
    """What makes two things the same for a kernel: it has only one of each."""
    match thing:
        case Sandbox():
            return (("sandbox", thing.namespace),)
        case Veth():
            ends = (
                (thing.namespace, thing.device),
                (thing.peer_namespace, thing.peer_device),
            )
            return tuple(("device", *end) for end in ends)
        case Vxlan():
            # Two of one VNI and port need outer packets of different families.
            id = (thing.namespace, thing.vni, thing.port, ":" in thing.local)
            return ("device", thing.namespace, thing.device), ("vni", *id)
        case Sysctl():
            return (("sysctl", thing.namespace, thing.key),)
        case Address():
            return (("address", thing.namespace, thing.device, thing.address),)
        case Neighbour():
            return (("neighbour", thing.namespace, thing.device, thing.address),)
        case Forward():
            return (("forward", thing.namespace, thing.device, thing.mac),)
        case Route():
            return (("route", thing.namespace, thing.table, thing.to),)
        case Lookup():
            return (("lookup", *thing.__class__.__match_args__, str(thing)),)


class KernelModel:
    def __init__(self, things: Iterable[Thing] = ()) -> None:
        self.held: dict[Thing, None] = {}
        self.keys: dict[Key, Thing] = {}
        for thing in things:
            self.make(thing)

    def apply(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Make(thing):
                    self.make(thing)
                case Remove(thing):
                    self.remove(thing)
                case Rewrite(sandbox):
                    self.rewrite(sandbox)
                case Nft(namespace) | ForgetFlows(namespace):
                    assert ("sandbox", namespace) in self.keys

    def make(self, thing: Thing) -> None:
        for key in self.needs(thing):
            assert key in self.keys, f"{thing} lacks {key}"
        for key in keys_of(thing):
            if isinstance(thing, Sysctl) and key in self.keys:
                self.drop(self.keys[key])
            assert key not in self.keys, f"{thing}: {self.keys[key]} is there"
            self.keys[key] = thing
        self.held[thing] = None

    def needs(self, thing: Thing) -> Iterable[Key]:
        if isinstance(thing, Sandbox):
            return
        yield "sandbox", thing.namespace
        if isinstance(thing, Veth):
            yield "sandbox", thing.peer_namespace
        elif not isinstance(thing, Vxlan | Sysctl | Lookup) and thing.device not in ("", "lo"):
            yield "device", thing.namespace, thing.device

    def remove(self, thing: Thing) -> None:
        assert thing in self.held, f"{thing} is not there"
        assert not isinstance(thing, Sysctl)
        self.drop(thing)
        for other in self.goes_with(thing):
            if other in self.held:
                self.remove(other)

    def drop(self, thing: Thing) -> None:
        del self.held[thing]
        for key in keys_of(thing):
            del self.keys[key]

    def goes_with(self, thing: Thing) -> list[Thing]:
        match thing:
            case Sandbox(namespace):
                for other in [o for o in self.held if isinstance(o, Sysctl)]:
                    if other.namespace == namespace:
                        self.drop(other)
                return self.where(
                    lambda o: namespace in (o.namespace, getattr(o, "peer_namespace", ""))
                )
            case Veth():
                ends = {
                    (thing.namespace, thing.device),
                    (thing.peer_namespace, thing.peer_device),
                }
                return self.where(lambda o: (o.namespace, getattr(o, "device", "")) in ends)
            case Vxlan(namespace, device):
                on = (namespace, device)
                return self.where(lambda o: (o.namespace, getattr(o, "device", "")) == on)
            case Address():
                return self.where(lambda o: self.is_of_address(o, thing))
            case _:
                return []

    def is_of_address(self, other: Thing, gone: Address) -> bool:
        """fib_sync_down_addr and, after the last address, fib_disable_ip: IPv4 only."""
        if ":" in gone.address or other.namespace != gone.namespace:
            return False
        text = gone.address.partition("/")[0]
        if isinstance(other, Route) and other.source == text:
            return True
        if not isinstance(other, Route | Neighbour) or other.device != gone.device:
            return False
        is_ipv4 = ":" not in (other.to if isinstance(other, Route) else other.address)
        return is_ipv4 and gone.device != "lo" and not self.ipv4(gone.namespace, gone.device)

    def ipv4(self, namespace: str, device: str) -> list[str]:
        return [a for a in self.addresses().get((namespace, device), ()) if ":" not in a]

    def addresses(self) -> dict[tuple[str, str], list[str]]:
        """By device, in the order of which the kernel takes the first as source."""
        found: dict[tuple[str, str], list[str]] = {}
        for thing in self.held:
            if isinstance(thing, Address):
                found.setdefault((thing.namespace, thing.device), []).append(thing.address)
        return {
            on: sorted(addresses, key=lambda address: ":" in address)
            for on, addresses in found.items()
        }

    def where(self, test: Callable[[Thing], bool]) -> list[Thing]:
        return [other for other in self.held if test(other)]

    def rewrite(self, sandbox: Sandbox) -> None:
        old = self.keys["sandbox", sandbox.namespace]
        assert isinstance(old, Sandbox)
        assert old.hostname == sandbox.hostname
        assert [path for path, _ in old.files] == [path for path, _ in sandbox.files]
        assert old != sandbox
        self.drop(old)
        self.make(sandbox)

    def same_as(self, plan: Plan) -> None:
        """Holds what the plan says and, of settings, perhaps more."""
        fresh = KernelModel(plan.things)
        settings = {thing for thing in self.held if isinstance(thing, Sysctl)}
        assert {*self.held} - settings == {t for t in fresh.held if not isinstance(t, Sysctl)}
        assert settings >= {t for t in fresh.held if isinstance(t, Sysctl)}
        assert self.addresses() == fresh.addresses()
