"""What CPython's socket.getaddrinfo gives for a name."""

import socket
import sys

try:
    found = socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)
    print([one[4][0] for one in found])
except OSError as error:
    print("ERR", error)
