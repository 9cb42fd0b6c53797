"""Limits of containers, as the kernel's files say them in both versions."""

import pytest

from featkit.hardware.limits import cpu_quota, memory_left, memory_limit

MIB = 1 << 20


@pytest.fixture
def machine(tmp_path):
    """Return a maker of control groups: files by path, and the process's membership."""

    def make(membership, **files):
        groups, mine = tmp_path / "cgroup", tmp_path / "self"
        groups.mkdir()
        mine.write_text(membership)
        for name, text in files.items():
            path = groups / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return groups, mine

    return make


def test_version_2_takes_the_tightest_of_the_groups_around(machine):
    places = machine(
        "0::/job/step\n",
        job__cpu_dot_max="400000 100000\n",
        job__step__cpu_dot_max="max 100000\n",
        job__memory_dot_max=f"{512 * MIB}\n",
        job__memory_dot_current=f"{300 * MIB}\n",
        job__memory_dot_stat=f"anon 1\ninactive_file {100 * MIB}\n",
        job__step__memory_dot_max="max\n",
        job__step__memory_dot_current="7\n",
    )
    assert cpu_quota(*places) == 4.0
    assert memory_limit(*places) == 512 * MIB
    assert memory_left(*places) == 312 * MIB


def test_version_1_has_a_folder_a_controller(machine):
    places = machine(
        "4:memory:/docker/abc\n3:cpuset:/\n1:cpu,cpuacct:/docker/abc\n0::/\n",
        cpu__cpu_dot_cfs_quota_us="150000\n",
        cpu__cpu_dot_cfs_period_us="100000\n",
        memory__memory_dot_limit_in_bytes=f"{256 * MIB}\n",
        memory__memory_dot_usage_in_bytes=f"{56 * MIB}\n",
    )
    assert cpu_quota(*places) == 1.5
    assert memory_limit(*places) == 256 * MIB
    assert memory_left(*places) == 200 * MIB


def test_no_limit_is_none(machine):
    places = machine(
        "4:memory:/\n1:cpu:/\n0::/\n",
        cpu__cpu_dot_cfs_quota_us="-1\n",
        cpu__cpu_dot_cfs_period_us="100000\n",
        memory__memory_dot_limit_in_bytes="9223372036854771712\n",
    )
    assert (cpu_quota(*places), memory_limit(*places), memory_left(*places)) == (None, None, None)


def test_a_system_without_groups_has_no_limit(tmp_path):
    places = tmp_path / "none", tmp_path / "neither"
    assert (cpu_quota(*places), memory_limit(*places)) == (None, None)
