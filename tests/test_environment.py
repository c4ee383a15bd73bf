"""Environment variables: empty is unset, junk is named; processors: affinity and CPU quotas."""

from __future__ import annotations

import os
import sys

import pytest
from test_backends import error_of, run_python

from fastact import environment

#: Each variable, and a part of the message about a wrong value.
VARIABLES = {
    "FASTACT_BACKEND": "one of auto, cython, numba, numpy",
    "FASTACT_NUM_THREADS": "an integer from 1 to 1024",
    "FASTACT_PRECISION": "one of fast, faithful",
    "FASTACT_ISA": "one of baseline, v3, v4",
    "FASTACT_POOL_BYTES": f"an integer from 0 to {sys.maxsize}",
}
MANY_DIGITS = "9" * 5000  # more than int() takes


@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_is_unset(empty):
    code = (
        "import fastact as fa; config = fa.show_config('dicts')\n"
        "settings, pool = config['settings'], config['pool'].get('limit')\n"
        "print(settings, pool, config['extension'].get('instruction_set'))"
    )
    variables = dict.fromkeys((*VARIABLES, "OMP_NUM_THREADS"), empty)
    assert run_python(code, **variables) == run_python(code)


@pytest.mark.parametrize("value", ["junk", "-1", MANY_DIGITS], ids=["junk", "negative", "digits"])
def test_junk_is_an_error_that_names_the_variable_and_the_choices(value):
    """All variables in one process: each import fails before anything is kept."""
    code = "import os, sys\n"
    for variable in VARIABLES:
        code += f"os.environ[{variable!r}] = {value!r}\n"
        code += "for name in [n for n in sys.modules if n.startswith('fastact')]:\n"
        code += "    del sys.modules[name]\n"
        code += error_of("import fastact")
        code += f"del os.environ[{variable!r}]\n"
    messages = run_python(code).splitlines()
    for message, (variable, expected) in zip(messages, VARIABLES.items(), strict=True):
        assert message.startswith(f"ValueError environment variable {variable} must be {expected}")
        assert value[:40] in message
        assert len(message) < 200


@pytest.mark.parametrize("value", [MANY_DIGITS, f"{MANY_DIGITS},2", "1" * 4301, "1e3", "\udcff"])
def test_openmp_values_that_cannot_be_read_are_ignored(value, monkeypatch):
    monkeypatch.delenv("FASTACT_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    expected = environment.default_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert environment.default_num_threads() == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(" 4 ", 4), ("0004", 4), ("0" * 5000 + "4", 4), ("1024", 1024)]
)
def test_integers_may_have_space_and_zeros(value, expected, monkeypatch):
    monkeypatch.setenv("FASTACT_NUM_THREADS", value)
    assert environment.default_num_threads() == expected


# --- the CPU quota -----------------------------------------------------------------------------

V2 = "0::{path}\n", "30 25 0:26 {root} {mount} rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
V1 = (
    "12:memory:/elsewhere\n5:cpuacct,cpu:{path}\n1:name=systemd:/elsewhere\n",
    "33 32 0:29 {root} {mount} rw,nosuid - cgroup cgroup rw,cpuacct,cpu\n"
    "34 32 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
)


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes the files of a machine and returns our quota."""

    def write(version, path, files, root="/", mount="/sys/fs/cgroup/here"):
        process = tmp_path / "proc" / "self"
        process.mkdir(parents=True)
        groups, mounts = version
        (process / "cgroup").write_text(groups.format(path=path))
        (process / "mountinfo").write_text(
            "22 1 254:0 / / rw - ext4 /dev/vda rw\n" + mounts.format(root=root, mount=mount)
        )
        for name, text in files.items():
            file = tmp_path / name.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return environment.cgroup_cpus(str(tmp_path))

    return write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000\n", None),
        ("100000 100000\n", 1),
        ("150000 100000\n", 2),
        ("1000 100000\n", 1),
        ("400001 100000\n", 5),
        ("300000 50000\n", 6),
        ("", None),
        ("150000\n", None),
        ("0 100000\n", None),
        ("100000 0\n", None),
        ("junk 100000\n", None),
        ("\x00\xff\n", None),
        (f"{MANY_DIGITS} 100000\n", 10**16),
    ],
)
def test_the_quota_of_version_2_is_rounded_up(machine, text, expected):
    assert machine(V2, "/", {"/sys/fs/cgroup/here/cpu.max": text}) == expected


@pytest.mark.parametrize(
    ("quota", "period", "expected"),
    [("-1", "100000", None), ("250000", "100000", 3), ("5000", "100000", 1), ("", "", None)],
)
def test_the_quota_of_version_1_is_rounded_up(machine, quota, period, expected):
    folder = "/sys/fs/cgroup/here/docker/a"
    files = {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": period}
    assert machine(V1, "/docker/a", files) == expected


@pytest.mark.parametrize("limited", ["", "/a", "/a/b", "/a/b/c"])
@pytest.mark.parametrize("version", [V1, V2], ids=["v1", "v2"])
def test_groups_above_limit_too(machine, version, limited):
    files = {}
    for folder in ("", "/a", "/a/b", "/a/b/c"):
        quota = 200000 if folder == limited else 900000
        place = f"/sys/fs/cgroup/here{folder}"
        files |= {
            f"{place}/cpu.max": f"{quota} 100000",
            f"{place}/cpu.cfs_quota_us": str(quota),
            f"{place}/cpu.cfs_period_us": "100000",
        }
    assert machine(version, "/a/b/c", files) == 2


@pytest.mark.parametrize(
    ("path", "root", "folder"),
    [
        ("/docker/a", "/docker/a", ""),  # a container without a namespace of its own
        ("/docker/a/job", "/docker/a", "/job"),
        ("/docker/ab", "/docker/a", ""),
        ("/", "/docker/a", ""),
        ("/../other", "/", ""),
    ],
)
def test_paths_are_below_the_group_that_is_mounted(machine, path, root, folder):
    files = {f"/sys/fs/cgroup/here{folder}/cpu.max": "300000 100000"}
    assert machine(V2, path, files, root) == 3


def test_mount_points_may_have_spaces(machine):
    files = {"/my groups/a/cpu.max": "300000 100000"}
    assert machine(V2, "/a", files, mount="/my\\040groups") == 3


@pytest.mark.parametrize("name", ["a\x0bb", "a\x0cb", "a\u2028b", "a\x85b"], ids=ascii)
def test_names_of_groups_may_have_characters_that_end_lines(machine, name):
    files = {f"/sys/fs/cgroup/here/{name}/cpu.max": "300000 100000"}
    assert machine(V2, f"/{name}", files) == 3


@pytest.mark.parametrize(
    "mount", ["/odd\\", "/odd\\x", "/odd\\99 ", "/odd\\04", "/odd\0"], ids=ascii
)
def test_odd_escapes_and_characters_are_no_error(machine, mount):
    files = {"/sys/fs/cgroup/cpu.max": "300000 100000"}
    assert machine(V2, "/a", files, mount=mount) == 3


def test_the_usual_place_is_tried_without_mounts(machine):
    assert machine(("", ""), "/", {"/sys/fs/cgroup/cpu.max": "300000 100000"}) == 3


@pytest.mark.parametrize("text", ["", "junk\n", "0::\n:::\n- - -\n", " - cgroup2 cgroup2 rw\n"])
def test_odd_files_are_no_quota(machine, text):
    assert machine((text, text), "/", {}) is None


def test_no_files_are_no_quota(tmp_path):
    assert environment.cgroup_cpus(str(tmp_path)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize(("quota", "expected"), [(None, 8), (3, 3), (16, 8)])
def test_the_threads_respect_affinity_and_quota(quota, expected, monkeypatch):
    for name in ("FASTACT_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(environment, "cgroup_cpus", lambda: quota)
    assert environment.default_num_threads() == environment.usable_cpus() == expected
