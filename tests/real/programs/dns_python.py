"""What dnspython gives for a name with its search list: A only."""

import sys

import dns.resolver

try:
    print([one.to_text() for one in dns.resolver.resolve(sys.argv[1], "A", search=True)])
except Exception as error:
    print("ERR", type(error).__name__, error)
