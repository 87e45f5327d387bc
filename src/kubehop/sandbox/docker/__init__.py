"""Docker: containers as the Engine API tells them, over its unix socket.

Pods of a kubelet with docker (dockershim, cri-dockerd) are known by labels and names; containers
that somebody ran by hand are sandboxes too. Never sends anything but GET, never talks to another
machine, and takes nothing that a daemon says on trust: what is not the Engine API is one error.
"""
