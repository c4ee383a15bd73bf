"""Environment variables, and the number of processors that this process may use.

An empty variable counts as unset. This module uses the standard library only.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

MAX_THREADS = 1024
#: Levels of x86-64 for which the Cython loops are built, the lowest first.
LEVELS = ("baseline", "v3", "v4")


# --- variables ---------------------------------------------------------------------------------


def text(variable: str) -> str | None:
    """Return the value of a variable without surrounding space, or None if it is unset or empty."""
    return os.environ.get(variable, "").strip() or None


def choice(variable: str, choices: tuple[str, ...]) -> str | None:
    """Return the value of a variable that names one of ``choices``, or None if it is unset."""
    name = text(variable)
    if name is not None and name not in choices:
        raise _invalid(variable, f"one of {', '.join(choices)}", name)
    return name


def integer(variable: str, least: int, most: int) -> int | None:
    """Return the value of an integer variable, or None if it is unset."""
    digits = text(variable)
    if digits is None:
        return None
    number = _number(digits)
    if number is None or not least <= number <= most:
        raise _invalid(variable, f"an integer from {least} to {most}", digits)
    return number


def variables() -> dict[str, str]:
    """Return the variables that are set and concern us."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("FASTACT_") or name == "OMP_NUM_THREADS"
    }


def _invalid(variable: str, expected: str, value: str) -> ValueError:
    shown = repr(value) if len(value) <= 80 else f"{value[:40]!r}... ({len(value)} characters)"
    return ValueError(f"environment variable {variable} must be {expected}, got {shown}")


def _number(digits: str) -> int | None:
    """Return a non-negative integer, or None if the text is none.

    Python converts at most 4,300 digits, leading zeros included. A number of more than 20 digits
    is out of every range here.
    """
    if not digits.isdecimal():
        return None
    return int(digits.lstrip("0")[:21] or "0")


def allowed_levels() -> tuple[str, ...]:
    """Return the levels of x86-64 up to FASTACT_ISA, all of them if it is unset."""
    highest = choice("FASTACT_ISA", LEVELS) or LEVELS[-1]
    return LEVELS[: LEVELS.index(highest) + 1]


# --- processors --------------------------------------------------------------------------------


def default_num_threads() -> int:
    """Return FASTACT_NUM_THREADS, else OMP_NUM_THREADS, else the number of usable processors."""
    own = integer("FASTACT_NUM_THREADS", 1, MAX_THREADS)
    if own is not None:
        return own
    # OMP_NUM_THREADS is shared with other libraries and may be a list such as "4,2". Ignore a value
    # that is not an integer in range.
    shared = _number((text("OMP_NUM_THREADS") or "").partition(",")[0].strip())
    if shared is not None and 1 <= shared <= MAX_THREADS:
        return shared
    return min(usable_cpus(), MAX_THREADS)


def usable_cpus() -> int:
    """Return how many processors the affinity and the CPU quota of the cgroup leave to us."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13, which also respects -X cpu_count
        count = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    if count == 1 or sys.platform != "linux":
        return count
    quota = cgroup_cpus()
    return count if quota is None else min(count, quota)


def cgroup_cpus(root: str = "/") -> int | None:
    """Return the CPU quota of our cgroup in whole processors, or None if there is no quota.

    Every group above ours limits us too, so that the smallest quota holds. ``root`` is the
    directory that contains ``proc``, and all mount points.
    """
    quotas = [
        quota
        for is_v2, mount_point, path in _cpu_hierarchies(root)
        for quota in _quotas(root + mount_point, path, is_v2)
    ]
    return min(quotas, default=None)


def _cpu_hierarchies(root: str) -> Iterator[tuple[bool, str, str]]:
    """Yield (is version 2, mount point, path of our group below it) where "cpu" may be limited."""
    groups = {}
    for line in _lines(f"{root}/proc/self/cgroup"):  # 4:cpu,cpuacct:/path, or 0::/path in version 2
        _, _, controllers_and_path = line.partition(":")
        controllers, _, path = controllers_and_path.partition(":")
        if not controllers or "cpu" in controllers.split(","):
            groups[not controllers] = path
    for line in _lines(f"{root}/proc/self/mountinfo"):  # see proc_pid_mountinfo(5)
        before, _, after = line.partition(" - ")
        mount, filesystem = before.split(" "), after.split(" ")
        if len(mount) < 5 or len(filesystem) < 3:
            continue
        is_v2 = filesystem[0] == "cgroup2"
        is_v1 = filesystem[0] == "cgroup" and "cpu" in filesystem[2].split(",")
        if is_v2 in groups and (is_v1 or is_v2):
            path = _relative(groups[is_v2], _unescaped(mount[3]))
            yield is_v2, _unescaped(mount[4]), path
    # The usual places, in case that a sandbox hides the mounts.
    yield True, "/sys/fs/cgroup", ""
    yield False, "/sys/fs/cgroup/cpu", ""


def _relative(path: str, mounted: str) -> str:
    """Return the path of a group below the group that is mounted.

    The latter is that of the container itself where we do not see the former through the mount.
    """
    mounted = mounted.rstrip("/")
    is_below = path == mounted or path.startswith(f"{mounted}/")
    return path[len(mounted) :].strip("/") if is_below and ".." not in path.split("/") else ""


def _quotas(mount_point: str, path: str, is_v2: bool) -> Iterator[int]:
    """Yield the quotas of a group and all groups above it, in processors, rounded up."""
    names = path.split("/") if path else []
    for depth in range(len(names), -1, -1):
        directory = "/".join([mount_point, *names[:depth]])
        if is_v2:
            words = _words(f"{directory}/cpu.max")  # "150000 100000" or "max 100000"
        else:  # in microseconds; the quota is -1 where there is no limit
            words = _words(f"{directory}/cpu.cfs_quota_us", f"{directory}/cpu.cfs_period_us")
        quota, period = [_number(word) for word in words] if len(words) == 2 else (None, None)
        if quota and period:
            yield -(-quota // period)


def _words(*files: str) -> list[str]:
    return [word for file in files for line in _lines(file) for word in line.split()]


def _lines(file: str) -> list[str]:
    """Return the lines of a file, none if we cannot read it."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as lines:
            # Not splitlines: the names of groups may have other characters that end lines.
            return [line for line in lines.read().split("\n") if line]
    except (OSError, ValueError):  # ValueError: a null character in the name
        return []


def _unescaped(path: str) -> str:
    """Replace the octal escapes of mountinfo, such as \\040 for a space."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
