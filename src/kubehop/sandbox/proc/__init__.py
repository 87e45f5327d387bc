"""Pods as /proc shows them, whatever the runtime: without its socket, and much of it without root.

Never enters a namespace, never opens anything below a container's root but the names of log files,
and says what it cannot see. What processes say of themselves (comm, arguments) is believed of the
runtime's own only.
"""
