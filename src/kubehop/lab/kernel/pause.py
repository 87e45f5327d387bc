"""The process that holds a sandbox's namespaces: it does nothing and needs next to no memory.

Its program is made here, an ELF file (System V ABI, elf.h) with one page of code that asks the
kernel to wait for a signal, for ever. SIGTERM ends it, as that is the default.
"""

import ctypes
import os
import platform
import struct
from pathlib import Path

NAME = "pause"
"""Also what ps shows, as the runtimes' pause containers do."""

_FILE, _SEGMENT = struct.Struct("<4s5B7xHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
_AT, _ALIGN = 0x400000, 0x10000
_PT_LOAD, _PT_GNU_STACK, _READ, _WRITE, _EXECUTE = 1, 0x6474E551, 4, 2, 1

_X86_64 = (
    b"\xb8\x22\x00\x00\x00"  # again: mov eax, 34    pause(2)
    b"\x0f\x05"  #                    syscall
    b"\xeb\xf7"  #                    jmp again
)
_AARCH64 = struct.pack(
    "<8I",
    0xD2800000,  #        again: mov x0, 0      ppoll(2): of no files,
    0xD2800001,  #               mov x1, 0
    0xD2800002,  #               mov x2, 0      without a timeout
    0xD2800003,  #               mov x3, 0
    0xD2800004,  #               mov x4, 0
    0xD2800928,  #               mov x8, 73
    0xD4000001,  #               svc 0
    0x17FFFFF9,  #               b again
)
_MACHINES = {"x86_64": (62, _X86_64), "aarch64": (183, _AARCH64)}
"""EM_... of elf.h, code."""

_libc = ctypes.CDLL(None)
_SETPGROUP, _SETSIGDEF, _SETSIGMASK = 2, 4, 8
_ENOUGH = 1024
"""More than any C library's posix_spawnattr_t or sigset_t takes, in bytes."""


def elf(machine: str) -> bytes:
    """The program for a machine as uname calls it; b"" where we know no instructions."""
    if machine not in _MACHINES:
        return b""
    number, code = _MACHINES[machine]
    start = _FILE.size + 2 * _SEGMENT.size
    entry, length = _AT + start, start + len(code)
    sizes = (_FILE.size, _SEGMENT.size, 2, 0, 0, 0)
    header = _FILE.pack(b"\x7fELF", 2, 1, 1, 0, 0, 2, number, 1, entry, _FILE.size, 0, 0, *sizes)
    segment = (_PT_LOAD, _READ | _EXECUTE, 0, _AT, _AT, length, length, _ALIGN)
    stack = (_PT_GNU_STACK, _READ | _WRITE, 0, 0, 0, 0, 0, 16)
    return header + _SEGMENT.pack(*segment) + _SEGMENT.pack(*stack) + code


class Pause:
    """Starts pause processes; `folder` is where their program is put."""

    def __init__(self, folder: Path, machine: str = platform.machine()) -> None:
        self._path, arguments = b"/bin/sleep", [NAME.encode(), b"infinity", None]
        if program := elf(machine):
            path = folder / NAME
            if not path.exists():  # a program that runs cannot be written
                path.write_bytes(program)
                path.chmod(0o755)
            self._path, arguments = os.fsencode(path), [NAME.encode(), None]
        self._arguments = (ctypes.c_char_p * len(arguments))(*arguments)
        self._environment = (ctypes.c_char_p * 1)(None)
        self._files, self._attributes = _no_files(), _no_signals()

    def start(self) -> int:
        """One more, in the calling thread's namespaces. Its PID; our child. Raises OSError."""
        pid = ctypes.c_int()
        failed = _libc.posix_spawn(
            ctypes.byref(pid),
            self._path,
            self._files,
            self._attributes,
            self._arguments,
            self._environment,
        )
        if failed:
            raise OSError(failed, os.strerror(failed), os.fsdecode(self._path))
        return pid.value


def _no_files() -> ctypes.Array[ctypes.c_char]:
    """posix_spawn_file_actions_t: it must keep nobody's terminal or pipe open."""
    actions = ctypes.create_string_buffer(_ENOUGH)
    _libc.posix_spawn_file_actions_init(actions)
    for fd in (0, 1, 2):
        _libc.posix_spawn_file_actions_addclose(actions, fd)
    return actions


def _no_signals() -> ctypes.Array[ctypes.c_char]:
    """posix_spawnattr_t: no signal blocked or ignored; a process group of its own."""
    attributes = ctypes.create_string_buffer(_ENOUGH)
    none, every = ctypes.create_string_buffer(_ENOUGH), ctypes.create_string_buffer(_ENOUGH)
    _libc.sigemptyset(none)
    _libc.sigfillset(every)
    _libc.posix_spawnattr_init(attributes)
    _libc.posix_spawnattr_setsigmask(attributes, none)
    _libc.posix_spawnattr_setsigdefault(attributes, every)
    _libc.posix_spawnattr_setpgroup(attributes, 0)
    _libc.posix_spawnattr_setflags(
        attributes, ctypes.c_short(_SETPGROUP | _SETSIGDEF | _SETSIGMASK)
    )
    return attributes
