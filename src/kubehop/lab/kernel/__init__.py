"""What makes a lab's things: namespaces, netlink, libnftables, mounts. Knows no Kubernetes."""
