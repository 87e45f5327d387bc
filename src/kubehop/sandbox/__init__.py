"""Pods of this host, seen from outside: container runtimes, /proc, network namespaces.

Sources say which sandboxes there are, a namespace is opened and read, and what nobody may tell us
stays unknown and is said to be. Never asks a cluster, never changes what it looks at.
"""
