"""What Linux offers and Python 3.11 does not: system calls, netlink, a program in other namespaces.

Never knows of Kubernetes, of labs or of container runtimes.
"""
