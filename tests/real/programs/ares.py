# mypy: ignore-errors
"""What c-ares' ares_getaddrinfo gives for a name (AF_UNSPEC), through either pycares."""

import select
import socket
import sys
import time

import pycares

start = time.monotonic()
said = []


def done(result, error):
    took = f"{time.monotonic() - start:.3f}s"
    if error is not None:
        said.append(f"{took} {pycares.errno.strerror(error)}")
    else:
        said.append(f"{took} {[node.addr[0] for node in result.nodes]}")


if pycares.__version__.startswith("4"):
    channel = pycares.Channel()
    channel.getaddrinfo(sys.argv[1], None, family=socket.AF_UNSPEC, callback=done)
    while True:
        read, write = channel.getsock()
        if not read and not write:
            break
        timeout = channel.timeout() or 0.0
        r, w, _ = select.select(read, write, [], timeout)
        for fd in r:
            channel.process_fd(fd, pycares.ARES_SOCKET_BAD)
        for fd in w:
            channel.process_fd(pycares.ARES_SOCKET_BAD, fd)
        if not r and not w:
            channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
else:
    channel = pycares.Channel()
    channel.getaddrinfo(sys.argv[1], None, family=socket.AF_UNSPEC, callback=done)
    channel.wait()
for line in said:
    print(line)
