import ctypes
import platform

import pytest

from featkit.hardware.memory import freed_memory_kept


class Recorder:
    def __init__(self):
        self.calls = []

    def mallopt(self, option, value):
        self.calls.append((option, value))

    def malloc_trim(self, padding):
        self.calls.append(("trim", padding))


@pytest.fixture
def libc(monkeypatch):
    found = Recorder()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: found)
    return found


def test_what_is_kept_is_given_back_after_an_error_too(libc, monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))
    with pytest.raises(KeyboardInterrupt), freed_memory_kept():
        assert (-4, 0) in libc.calls  # M_MMAP_MAX
        raise KeyboardInterrupt
    assert libc.calls[-1] == ("trim", 0)
    assert dict(libc.calls)[-4] > 0


def test_other_systems_are_left_alone(libc, monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with freed_memory_kept():
        pass
    assert libc.calls == []
