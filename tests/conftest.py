"""Hypothesis runs the same examples everywhere: a failure is a failure for everybody."""

import signal

from hypothesis import HealthCheck, settings

from tests.real.runtimes.fixtures import containerd as containerd
from tests.real.runtimes.fixtures import docker as docker
from tests.real.runtimes.fixtures import nested as nested
from tests.real.runtimes.fixtures import newer as newer
from tests.real.runtimes.fixtures import userns as userns

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# A shell starts what runs in the background with SIGINT ignored, and so would be all that tests
# start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
