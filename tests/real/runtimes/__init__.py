"""Container runtimes as a node has them: Debian's containerd with its CRI plugin, and docker.

Each runs in mount and network namespaces of its own, with its own /run, /etc, /var/lib, /var/log;
pods are made as a kubelet makes them. Never touches the machine's own network, files or
containers, and leaves nothing behind, even if the tests are killed.
"""
