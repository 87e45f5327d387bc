"""Network namespaces that a test made, read by us and by the programs of iproute2."""
