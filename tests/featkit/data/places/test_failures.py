"""Errors of clients whose packages the tests do without."""

import errno

import pytest

from featkit.data.places._failures import is_missing, is_transient, phrase


class AnyError(Exception):
    def __init__(self, text="", **facts):
        super().__init__(text)
        vars(self).update(facts)


class Answer:
    status_code = 503


def caused(error, cause):
    error.__cause__ = cause
    return error


TransportError = type("TransportError", (Exception,), {})
READ_TIMEOUT = type("ReadTimeout", (type("TimeoutError", (TransportError,), {}),), {})("")


@pytest.mark.parametrize(
    ("error", "transient", "missing", "words"),
    [
        (AnyError(code=429, message="Too many"), True, False, "429 Too many"),  # gcsfs
        (AnyError(code=404), False, True, "404 Not Found"),
        (AnyError(status_code=500, message="x" * 99), True, False, "500 Internal Server Error"),
        (AnyError(response=Answer()), True, False, "503 Service Unavailable"),  # requests
        (AnyError(status=599), True, False, "599"),
        (AnyError("strange", code=7), False, False, "strange"),
        (OSError(errno.EBUSY, "busy"), False, False, "[Errno 16] busy"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), True, False, "[Errno 104] reset"),
        (BrokenPipeError(), True, False, "BrokenPipeError"),
        (TransportError("no route"), True, False, "no route"),
        (READ_TIMEOUT, True, False, "no answer in time"),
        (FileNotFoundError("x"), False, True, "x"),
        (caused(FileNotFoundError("x"), AnyError(status=503)), True, False, "503 Service Unav"),
        (caused(FileNotFoundError("x"), ConnectionError("y")), True, False, "x"),
        (caused(ConnectionError("x"), AnyError(code=400)), True, False, "x"),
        (ValueError("x " * 100), False, False, "x x x"),
    ],
)
def test_kinds_of_failure(error, transient, missing, words):
    assert is_transient(error) is transient
    assert is_missing(error) is missing
    assert phrase(error).startswith(words)
    assert len(phrase(error)) <= 120
