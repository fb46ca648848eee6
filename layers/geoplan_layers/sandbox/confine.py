"""The limits that a reader process puts on itself, for good, before it loads a file library.

Windows knows none of them, macOS not all: there a reader is still a process of its own, with a deadline that its
parent keeps.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from geoplan_layers.sandbox.rules import OPEN_FILES, Budget

_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_NO_NEW_PRIVS = 38
_SLACK_S = 5
"""Processor seconds beyond the deadline: the parent's clock ends a job first, this limit when the parent is gone."""
_NICE = 2

if sys.platform != "win32":
    import resource

    def confine() -> dict[str, bool]:
        """Put every limit on this process that the system knows; which of them hold.

        ``network`` means that the process is in a network of its own that leads nowhere. It needs a single thread.
        """
        held = {"network": _leave_network(), "privileges": _keep_privileges()}
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        few = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))
        with suppress(OSError):
            os.nice(_NICE)
        return held | {
            "memory": sys.platform == "linux",  # macOS takes the limit and does not keep it
            "processor": True,
            "file-size": True,
            "open-files": True,
        }

    def allow(budget: Budget, base: int) -> None:
        """Renew the limits for one job; ``base`` is the address space of the process before its first, bytes."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = math.ceil(used.ru_utime + used.ru_stime + budget.seconds) + _SLACK_S
        _soft(resource.RLIMIT_CPU, cpu)
        _soft(resource.RLIMIT_FSIZE, budget.file_bytes)
        if sys.platform == "linux":
            _soft(resource.RLIMIT_AS, base + budget.memory)

    def relax() -> None:
        """Give back the memory limit after a job, so that what went wrong can be told."""
        _soft(resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1])

    def _soft(kind: int, value: int) -> None:
        most = resource.getrlimit(kind)[1]
        unlimited = resource.RLIM_INFINITY
        resource.setrlimit(kind, (value if most == unlimited or value == unlimited else min(value, most), most))

else:

    def confine() -> dict[str, bool]:
        """No limit of the system holds here."""
        names = ("network", "privileges", "memory", "processor", "file-size", "open-files")
        return dict.fromkeys(names, False)

    def allow(budget: Budget, base: int) -> None:
        """Nothing to renew."""
        del budget, base

    def relax() -> None:
        """Nothing to give back."""


def _keep_privileges() -> bool:
    """Nothing that this process starts may gain rights by set-uid files."""
    return sys.platform == "linux" and bool(_libc().prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def _leave_network() -> bool:
    """Move into an empty network: as root at once, else as root of a name space of one's own where that is allowed."""
    if sys.platform != "linux":
        return False
    if _libc().unshare(_NEWNET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_NEWUSER | _NEWNET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("gid_map", f"{group} {group} 1"), ("uid_map", f"{user} {user} 1")):
        with suppress(OSError):  # unmapped, the process is nobody by name and still itself by its rights on files
            Path(f"/proc/self/{name}").write_text(text)
    return True


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def address_space() -> int:
    """Bytes of address space that this process uses now; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
