"""Addresses as they are shown: without what must stay secret, and else as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.tracking._address import shown, unspoken


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://u:p@host:5000/x", "http://u:***@host:5000/x"),
        ("http://u:a@b@host/x", "http://u:***@host/x"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("http://u:p@[::1", "http://u:***@[::1"),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("postgresql://u:a/b?c@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db?Password=p&x=1", "postgresql://u@h/db?Password=***&x=1"),
        ("mysql://u:p@h/db?sslpassword=q", "mysql://u:***@h/db?sslpassword=***"),
        ("https://h/?a=1&token=t#x", "https://h/?a=1&token=***#x"),
    ],
)
def test_passwords_and_tokens_are_masked_and_nothing_else(uri, expected):
    assert shown(uri) == expected


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=4))
def test_no_password_that_a_database_takes_is_spoken(password):
    make_url = pytest.importorskip("sqlalchemy.engine", reason="needs the extra `track`").make_url
    password = f"<{password}>"
    uri = make_url("postgresql://u@h/db").set(password=password)
    raw = uri.render_as_string(hide_password=False)
    assert shown(raw) == "postgresql://u:***@h/db"
    said = unspoken(f"no role for {raw}, or {password}; see {uri.password}", raw)
    assert said == "no role for postgresql://u:***@h/db, or ***; see ***"
