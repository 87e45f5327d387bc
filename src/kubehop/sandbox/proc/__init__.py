"""Pods as /proc shows them, whatever the runtime: without its socket, and much of it without root.

Never enters a namespace, never opens anything below a container's root but the names of log files,
and says what it cannot see. What processes say of themselves (comm, arguments) is believed of the
runtime's own only.
"""

from kubehop.sandbox.proc.network import listening, network_from_proc
from kubehop.sandbox.proc.scan import Process, Processes
from kubehop.sandbox.proc.source import Proc

__all__ = ["Proc", "Process", "Processes", "listening", "network_from_proc"]
