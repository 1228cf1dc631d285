from __future__ import annotations

import pytest

from backout.http.url import host_of, parse


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("http://h", "h", 80, "h", "/"),
        ("https://H.Example", "h.example", 443, "h.example", "/"),
        ("https://h:443/x", "h", 443, "h", "/x"),
        ("https://h:6443/a%2Fb?c=%20#d", "h", 6443, "h:6443", "/a%2Fb?c=%20"),
        ("https://h?x=1", "h", 443, "h", "/?x=1"),
        ("https://[::1]:6443/", "::1", 6443, "[::1]:6443", "/"),
        ("https://[fe80::1%25eth0]/", "fe80::1%25eth0", 443, "[fe80::1%25eth0]", "/"),
        ("http://b\u00fccher.example/", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/"),
    ],
)
def test_a_url_is_taken_apart_and_not_rewritten(
    url: str, host: str, port: int, authority: str, path: str
) -> None:
    parsed = parse(url)

    assert (parsed.host, parsed.port) == (host, port)
    assert (parsed.authority, parsed.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "//h/",
        "ftp://h/",
        "http://",
        "http:///path",
        "http://[::1",
        "http://h:x/",
        "http://h:99999/",
        "http://h:0/",
        "http://a b/",
        "http://h/a b",
        "http://h/\u00fc",
        "http://h/\r\nX: y",
        "http://h\t/",
        " http://h/",
        "http://h/\x7f",
        "http://\x1b[2J/",
    ],
)
def test_what_is_not_a_full_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(url)


def test_user_and_password_become_basic_authorization_and_leave_the_url() -> None:
    parsed = parse("http://us%40er:p%3Aw@h:81/x")

    assert parsed.credentials == "Basic dXNAZXI6cDp3"
    assert parsed.full == "http://h:81/x"
    assert parse("http://h/").credentials is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:hunter2@h:6443/hunter2?hunter2", "h:6443"),
        ("https://h/", "h"),
        ("https://[::1]/", "[::1]"),
        ("http://[::1", "the address given"),
        ("http://\x1b[2J/", "the address given"),
    ],
)
def test_error_text_names_the_host_and_no_more(url: str, shown: str) -> None:
    assert host_of(url) == shown
