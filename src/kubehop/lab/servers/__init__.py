"""Sockets inside of a lab's namespaces, all served by one process."""
