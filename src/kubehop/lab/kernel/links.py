"""Links and what is on them: from things to batches of netlink requests.

Every device gets its index from us, so nothing needs to be looked up; a namespace's requests are
one send. Deleting a link costs some 16 ms, a group of links no more: so they go by groups.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from kubehop.lab.kernel import rtnetlink
from kubehop.lab.kernel.spaces import Spaces
from kubehop.lab.kernel.workers import MANY, Workers
from kubehop.lab.plan.values import Address, Lookup, Sandbox, Sysctl, Thing, Veth, Vxlan
from kubehop.linux.netlink import Request
from kubehop.model.errors import ClusterError

_SECONDS, _PAUSE = 5.0, 0.001


_Question = tuple[Request, Callable[[bytes], bool]]


@dataclass(slots=True)
class _Work:
    """What there is to do in one namespace, in this order; `inner`: it is a link's far end.

    `defaults` are settings that interfaces inherit when they are made.
    """

    defaults: list[Sysctl] = field(default_factory=list)
    veths: list[Request] = field(default_factory=list)
    links: list[Request] = field(default_factory=list)
    settings: list[Sysctl] = field(default_factory=list)
    rest: list[Request] = field(default_factory=list)
    inner: bool = False


class Links:
    """Makes and removes things of all kinds; a sandbox is left to Spaces, but for its `lo`."""

    def __init__(self, spaces: Spaces, workers: Workers) -> None:
        self._spaces, self._workers = spaces, workers
        self._ends: dict[tuple[str, str], Veth] = {}
        self._groups = count(1)

    def make(self, things: Sequence[Thing]) -> None:
        """Make them: what links inherit, then all pairs of links. Raises ClusterError."""
        work: dict[str, _Work] = defaultdict(_Work)
        for thing in sorted(things, key=lambda thing: not isinstance(thing, Veth | Vxlan)):
            if isinstance(thing, Veth):
                self._veth(thing, work)
            elif isinstance(thing, Vxlan):
                index = self._spaces[thing.namespace].new_index(thing.device)
                work[thing.namespace].links.append(rtnetlink.vxlan(thing, index))
            elif isinstance(thing, Sandbox):
                work[thing.namespace].links.append(rtnetlink.up(rtnetlink.LOOPBACK, thing))
            elif isinstance(thing, Sysctl):
                its = work[thing.namespace]
                (its.defaults if ".default." in thing.key else its.settings).append(thing)
            else:
                work[thing.namespace].rest.append(self._on_device(thing, True))
        heirs = [namespace for namespace, its in work.items() if its.defaults]
        self._workers.each(lambda name: self._set(name, work[name].defaults), heirs)
        # A node's link comes before those of its pods: the kernel borrows the address of the
        # first interface that has one (inet_select_addr).
        pairs = [namespace for namespace, its in work.items() if its.veths]
        for inner in (False, True):
            wave = [namespace for namespace in pairs if work[namespace].inner is inner]
            self._workers.each(lambda name: self._run(name, work[name].veths), wave)
        self._workers.each(lambda name: self._configure(name, work[name]), list(work))
        self._wait(things)

    def remove(self, things: Sequence[Thing]) -> None:
        """Take them away, and the links into sandboxes that go; what is gone is no error."""
        leaving = {thing.namespace for thing in things if isinstance(thing, Sandbox)}
        work: dict[str, list[Request]] = defaultdict(list)
        links: dict[str, dict[int, Thing]] = defaultdict(dict)
        for thing in things:
            if thing.namespace in leaving or thing.namespace not in self._spaces:
                continue
            if not isinstance(thing, Sandbox | Veth | Vxlan | Sysctl) and self._stands(thing):
                work[thing.namespace].append(self._on_device(thing, False))
        for namespace, device, thing in list(self._going(things, leaving)):
            if namespace not in leaving and (index := self._forget(namespace, device)):
                links[namespace][index] = thing
        self._workers.each(lambda name: self._run(name, work[name]), list(work))
        self._workers.each(lambda name: self._unlink(name, links[name]), list(links), MANY)

    def _wait(self, things: Sequence[Thing]) -> None:
        """Until the first packet would arrive: what the kernel does later is done."""
        left: dict[str, list[_Question]] = defaultdict(list)
        for thing in things:
            if isinstance(thing, Veth):
                index = self._spaces.index(thing.namespace, thing.device)
                asked = rtnetlink.link_question(index), rtnetlink.sends
                left[thing.namespace].append(asked)
            elif isinstance(thing, Address) and ":" in thing.address:
                address = thing.address.partition("/")[0]
                asked = rtnetlink.way_question(address), rtnetlink.is_local
                left[thing.namespace].append(asked)
        end = time.monotonic() + _SECONDS
        while left and time.monotonic() < end:
            for namespace in [name for name, asked in left.items() if self._true(name, asked)]:
                del left[namespace]
            if left:
                time.sleep(_PAUSE)

    def _true(self, namespace: str, asked: Sequence[_Question]) -> bool:
        answers = self._spaces.links(namespace).answers(request for request, _ in asked)
        return len(answers) == len(asked) and all(
            is_so(answer) for answer, (_, is_so) in zip(answers, asked, strict=True)
        )

    def _veth(self, thing: Veth, work: dict[str, _Work]) -> None:
        space, peer = self._spaces[thing.namespace], self._spaces[thing.peer_namespace]
        index, there = space.new_index(thing.device), peer.new_index(thing.peer_device)
        for end in _ends(thing):
            self._ends[end] = thing
        made = rtnetlink.veth(thing, index, there, peer.net)
        work[thing.namespace].veths.append(made)
        work[thing.peer_namespace].links.append(rtnetlink.up(there, thing))
        work[thing.peer_namespace].inner = True

    def _configure(self, namespace: str, work: _Work) -> None:
        if not work.settings:
            return self._run(namespace, work.links + work.rest)
        self._run(namespace, work.links)
        self._set(namespace, work.settings)
        return self._run(namespace, work.rest)

    def _set(self, namespace: str, settings: Iterable[Sysctl]) -> None:
        with self._spaces.inside(namespace):
            for setting in settings:
                _write(setting)

    def _run(self, namespace: str, requests: Sequence[Request]) -> None:
        if requests:
            self._spaces.links(namespace).run(requests)

    def _on_device(self, thing: Thing, wanted: bool) -> Request:
        if isinstance(thing, Lookup):
            return rtnetlink.lookup(thing, wanted)
        assert not isinstance(thing, Sandbox | Veth | Vxlan | Sysctl)
        index = self._spaces.index(thing.namespace, thing.device) if thing.device else 0
        if thing.device and not index:
            raise ClusterError(f"no device {thing.device} in {thing.namespace} for {thing}")
        return rtnetlink.ON_DEVICE[type(thing)](thing, index, wanted)

    def _stands(self, thing: Thing) -> bool:
        """Whether the device that it is on does; if not, the kernel took both."""
        device: str = getattr(thing, "device", "")
        return not device or bool(self._spaces.index(thing.namespace, device))

    def _going(
        self, things: Sequence[Thing], leaving: set[str]
    ) -> Iterable[tuple[str, str, Thing]]:
        """The ends of links that go: of those named and of those into sandboxes that leave."""
        for thing in things:
            if isinstance(thing, Vxlan):
                yield thing.namespace, thing.device, thing
            elif isinstance(thing, Veth):
                yield from ((*end, thing) for end in _ends(thing))
        for namespace in leaving:
            for device in self._spaces[namespace].devices if namespace in self._spaces else ():
                if veth := self._ends.get((namespace, device)):
                    yield from ((*end, veth) for end in _ends(veth))

    def _forget(self, namespace: str, device: str) -> int:
        """Its index, once, if taking it away is ours to do: of a pair one end is enough."""
        if namespace not in self._spaces:
            return 0
        index = self._spaces[namespace].devices.pop(device, 0)
        veth = self._ends.pop((namespace, device), None)
        for end in _ends(veth) if veth else ():
            if self._ends.pop(end, None) and end[0] in self._spaces:
                self._spaces[end[0]].devices.pop(end[1], 0)
        return index

    def _unlink(self, namespace: str, links: dict[int, Thing]) -> None:
        if len(links) == 1:
            ((index, thing),) = links.items()
            return self._run(namespace, [rtnetlink.unlink(index, thing)])
        group = next(self._groups)
        grouped = partial(rtnetlink.grouped, group=group)
        requests = [grouped(index, about=thing) for index, thing in links.items()]
        return self._run(namespace, [*requests, rtnetlink.unlink_group(group)])


def _ends(veth: Veth) -> tuple[tuple[str, str], tuple[str, str]]:
    return (veth.namespace, veth.device), (veth.peer_namespace, veth.peer_device)


def _write(setting: Sysctl) -> None:
    """As sysctl(8): a "/" in a key is a "." in a device's name."""
    path = setting.key.translate(str.maketrans("./", "/."))
    try:
        with open(f"/proc/sys/{path}", "w", encoding="ascii") as file:
            file.write(setting.value)
    except OSError as error:
        raise ClusterError(f"the kernel refused {setting}: {error.strerror}") from error
