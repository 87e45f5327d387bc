"""Sockets in a network namespace, for a process that stays outside.

A socket belongs for ever to the namespace where it was made. Whoever gets in only through the
owning user namespace, from which there is no way back, has a child make it and send it here.
"""

import os
import socket
import traceback
from collections.abc import Callable, Sequence
from functools import partial

from kubehop.linux.netlink import netlink_socket
from kubehop.sandbox.namespace import Namespace, NotAllowedError, enter, inside, own_namespace

Maker = Callable[[], socket.socket]
_MOST = 250
"""Files that one message may carry: SCM_MAX_FD is 253."""
_WORDS = 4096
_MADE = b"\0"


def sockets_inside(namespace: Namespace, makers: Sequence[Maker]) -> list[socket.socket]:
    """What the makers make there, in their order, at most 250; the caller closes them.

    Raises NotAllowedError where the namespace may not be entered, OSError from a maker.
    """
    own = own_namespace()
    try:
        if namespace.inode == own.inode:
            return [make() for make in makers]
    finally:
        own.close()
    try:
        with inside(namespace):
            return [make() for make in makers]
    except NotAllowedError:
        if namespace.user_fd is None:
            raise
    return _by_child(namespace, makers[:_MOST])


def netlink_inside(namespace: Namespace, *protocols: int) -> list[socket.socket]:
    """Netlink sockets there, one of each protocol. Raises as `sockets_inside`."""
    makers = [partial(netlink_socket, protocol) for protocol in protocols]
    return sockets_inside(namespace, makers)


def _by_child(namespace: Namespace, makers: Sequence[Maker]) -> list[socket.socket]:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        child = os.fork()
        if not child:
            _send(its, namespace, makers)
        its.close()
        try:
            said, fds, _, _ = socket.recv_fds(ours, _WORDS, _MOST)
        finally:
            os.waitpid(child, 0)
    if said == _MADE:
        return [socket.socket(fileno=fd) for fd in fds]
    for fd in fds:
        os.close(fd)
    raise NotAllowedError(said.decode(errors="replace") or "the process inside ended early")


def _send(its: socket.socket, namespace: Namespace, makers: Sequence[Maker]) -> None:
    """The child: it ends here, whatever happens."""
    try:
        try:
            enter(namespace)
            made = [make() for make in makers]
            socket.send_fds(its, [_MADE], [one.fileno() for one in made])
        except NotAllowedError as error:
            its.send(error.why.encode()[:_WORDS])
        except OSError as error:
            its.send(f"nothing can be opened inside ({error})".encode()[:_WORDS])
    except BaseException:  # it must not run on in the caller's code
        traceback.print_exc()
    finally:
        os._exit(0)
