"""Real components beside ours: CoreDNS, the resolvers of C libraries, and lookup tools.

Everything runs in a network namespace that the test made; nothing leaves it.
"""
