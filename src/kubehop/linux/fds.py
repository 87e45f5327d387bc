"""Open files that stay out of the way of select(2).

libnftables waits for the kernel with select(2), which cannot wait for a file with a number of
1024 or more: glibc ends the process. So what a lab keeps open by the thousand has high numbers.
"""

import fcntl
import os
import socket

FD_SETSIZE = 1024
"""sys/select.h."""


def out_of_the_way(fd: int) -> int:
    """The same open file under a number of FD_SETSIZE or more, if the limit allows one."""
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FD_SETSIZE)
    except OSError:
        return fd  # the limit is so low that no number is too high
    os.close(fd)
    return high


def socket_out_of_the_way(sock: socket.socket) -> socket.socket:
    """The same for a socket; the one given is closed."""
    return socket.socket(sock.family, sock.type, sock.proto, out_of_the_way(sock.detach()))


def has_room_for_select() -> bool:
    """True if the next file that is opened has a number that select(2) can wait for."""
    fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    os.close(fd)
    return fd < FD_SETSIZE
