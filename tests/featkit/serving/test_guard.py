import pytest
from starlette.datastructures import Headers, MutableHeaders

from featkit.errors import UsageError
from featkit.serving._guard import Guard
from featkit.serving.refusals import RefusedError
from featkit.serving.running import LOOPBACK


def refused(guard, path="/api/model", **headers):
    try:
        guard.check(path, Headers({name.replace("_", "-"): v for name, v in headers.items()}))
    except RefusedError as error:
        return error.refusal.code
    return None


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "LocalHost", "[::1]:8000"])
def test_own_names_may_call(host):
    assert refused(Guard(token=None, hosts=LOOPBACK, open_paths=()), host=host) is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "[", "[::2]:80"],
)
def test_other_names_may_not(host):
    guard = Guard(token=None, hosts=LOOPBACK, open_paths={"/"})
    assert refused(guard, host=host) == "other_host"
    assert refused(guard, path="/", host=host) == "other_host"


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ("http://localhost:8000", None),
        ("HTTP://LOCALHOST:8000", None),
        ("http://localhost:9000", "other_origin"),
        ("https://evil.example", "other_origin"),
        ("null", "other_origin"),
        ("http://[", "other_origin"),
    ],
)
def test_pages_from_elsewhere_may_not_ask(origin, found):
    guard = Guard(token=None, hosts=None, open_paths=())
    assert refused(guard, host="localhost:8000", origin=origin) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("Bearer secret", None),
        ("bearer secret", None),
        ("Bearer  secret", None),
        ("Bearer secre", "no_token"),
        ("Bearer", "no_token"),
        ("Basic secret", "no_token"),
        ("Bearer sécret", "no_token"),
        ("", "no_token"),
    ],
)
def test_token(given, found):
    guard = Guard(token="secret", hosts=None, open_paths={"/", "/healthz"})
    headers = Headers(raw=[(b"authorization", given.encode("latin-1"))])
    if found is None:
        guard.check("/api/model", headers)
    else:
        with pytest.raises(RefusedError, match="token"):
            guard.check("/api/model", headers)
    guard.check("/healthz", headers)


@pytest.mark.parametrize("token", ["", "  ", "géheim", "two\nlines"])
def test_a_token_that_protects_nothing_or_cannot_be_sent(token):
    with pytest.raises(UsageError, match="the token"):
        Guard(token=token, hosts=None, open_paths=())


def test_seal_keeps_what_is_there():
    headers = MutableHeaders({"Cache-Control": "max-age=1"})
    Guard(token=None, hosts=None, open_paths=()).seal(headers)
    assert headers["cache-control"] == "max-age=1"
    assert "default-src 'none'" in headers["content-security-policy"]
