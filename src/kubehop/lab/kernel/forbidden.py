"""Why a machine lets nobody make namespaces, and how to allow it, in one line.

Kernel documentation: admin-guide/sysctl/user.rst; Debian's and Ubuntu's patches for the two
settings in kernel.*; user_namespaces(7), NOTES.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass

from kubehop.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Cause:
    """A setting below /proc/sys that forbids it when it has `value`, for errors `errnos`."""

    setting: str
    value: str
    errnos: frozenset[int]
    says: str
    allow: str


_DENIED = frozenset({errno.EPERM, errno.EACCES})
_FULL = frozenset({errno.ENOSPC, errno.EUSERS, errno.EPERM})
_LIMITS = ("user", "net", "mnt", "pid", "ipc", "uts")
CAUSES = (
    *(
        Cause(
            f"user/max_{kind}_namespaces",
            "0",
            _FULL,
            f"the machine allows no {kind} namespaces (user.max_{kind}_namespaces is 0)",
            f"sudo sysctl -w user.max_{kind}_namespaces=15000",
        )
        for kind in _LIMITS
    ),
    Cause(
        "kernel/unprivileged_userns_clone",
        "0",
        _DENIED,
        "only root may make user namespaces (kernel.unprivileged_userns_clone is 0)",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    Cause(
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        _DENIED,
        "AppArmor takes all rights away in user namespaces"
        " (kernel.apparmor_restrict_unprivileged_userns is 1)",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
_ELSE = {
    errno.ENOSPC: (
        "as many namespaces as the machine allows are in use, or they are nested too deeply",
        "end other labs and containers, or raise user.max_user_namespaces and its siblings",
    ),
    errno.EINVAL: ("this kernel has no user namespaces", "a kernel with CONFIG_USER_NS"),
    errno.ENOSYS: ("this kernel has no namespaces", "a kernel with CONFIG_NAMESPACES"),
}
_CONTAINER = (
    "the system call is filtered, as container runtimes do",
    "run the container with --security-opt seccomp=unconfined, or kubehop outside of it",
)


def forbidden(error: OSError, read: Callable[[str], str] | None = None) -> UsageError:
    """The error for a user. `read` gives a setting below /proc/sys, "" if there is none."""
    look = read or _setting
    for cause in CAUSES:
        if error.errno in cause.errnos and look(cause.setting) == cause.value:
            return _said(error, cause.says, cause.allow)
    says, allow = _ELSE.get(error.errno or 0, _CONTAINER)
    return _said(error, says, allow)


def _said(error: OSError, says: str, allow: str) -> UsageError:
    failed = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return UsageError(f"a lab needs namespaces, and {says}; to allow it: {allow} ({failed})")


def _setting(name: str) -> str:
    try:
        with open(f"/proc/sys/{name}", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
