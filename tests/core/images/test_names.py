"""Vectors: github.com/distribution/reference, normalize_test.go, reference_test.go."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backout.core.images.names import ImageReference, is_named, parse, ran

F64 = "f" * 64
DIGEST = f"sha256:{F64}"
SHA512 = f"sha512:{'f' * 128}"

NORMALISED = [
    # what is written, domain, repository, tag, digest
    ("nginx", "docker.io", "library/nginx", "latest", None),
    ("nginx:1.27", "docker.io", "library/nginx", "1.27", None),
    ("docker.io/nginx", "docker.io", "library/nginx", "latest", None),
    ("index.docker.io/nginx:1", "docker.io", "library/nginx", "1", None),
    ("index.docker.io/fooo/bar", "docker.io", "fooo/bar", "latest", None),
    ("fooo/bar", "docker.io", "fooo/bar", "latest", None),
    ("library/foo/bar", "docker.io", "library/foo/bar", "latest", None),
    ("docker.io/library/foo/bar", "docker.io", "library/foo/bar", "latest", None),
    ("test_com/foo", "docker.io", "test_com/foo", "latest", None),
    ("docker/migrator", "docker.io", "docker/migrator", "latest", None),
    ("test.com:5000", "docker.io", "library/test.com", "5000", None),
    ("192.168.1.1:tag", "docker.io", "library/192.168.1.1", "tag", None),
    ("foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", None),
    ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", None),
    ("localhost/app", "localhost", "app", "latest", None),
    ("localhost", "docker.io", "library/localhost", "latest", None),
    ("Foo/bar", "Foo", "bar", "latest", None),
    ("test.com/repo:tag", "test.com", "repo", "tag", None),
    ("test:5000/repo", "test:5000", "repo", "latest", None),
    ("test-com:8080/foo", "test-com:8080", "foo", "latest", None),
    ("127.0.0.1:5000/docker/docker", "127.0.0.1:5000", "docker/docker", "latest", None),
    ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", None),
    ("xn--n3h.com:18080/foo", "xn--n3h.com:18080", "foo", "latest", None),
    ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", None),
    (
        "b.gcr.io/test.example.com/my-app:test.example.com",
        "b.gcr.io",
        "test.example.com/my-app",
        "test.example.com",
        None,
    ),
    ("sub-dom1.foo.com/bar/baz/quux:t", "sub-dom1.foo.com", "bar/baz/quux", "t", None),
    ("docker---rules/docker", "docker.io", "docker---rules/docker", "latest", None),
    ("dock__er/docker", "docker.io", "dock__er/docker", "latest", None),
    ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", "latest", None),
    ("[::1]:5000/repo:tag", "[::1]:5000", "repo", "tag", None),
    (f"test:5000/repo@{DIGEST}", "test:5000", "repo", None, DIGEST),
    (f"test:5000/repo:tag@{DIGEST}", "test:5000", "repo", "tag", DIGEST),
    (f"busybox:latest@{DIGEST}", "docker.io", "library/busybox", "latest", DIGEST),
    (f"xn--7o8h.com/myimage@{SHA512}", "xn--7o8h.com", "myimage", None, SHA512),
    (f"docker.io/{F64}", "docker.io", f"library/{F64}", "latest", None),
    ("example.com/" + "a" * 255, "example.com", "a" * 255, "latest", None),
]


@pytest.mark.parametrize(("written", "domain", "repository", "tag", "digest"), NORMALISED)
def test_a_name_means_what_the_kubelet_reads(
    written: str, domain: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = parse(written)

    assert (found.domain, found.repository, found.tag, found.digest) == (
        domain,
        repository,
        tag,
        digest,
    )


FORMAT = "invalid reference format"
UPPER = "repository name must be lowercase"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "repository name must have at least one component"),
        (":justtag", FORMAT),
        (f"@{DIGEST}", FORMAT),
        ("https://github.com/docker/docker", FORMAT),
        ("docker/Docker", UPPER),
        ("Uppercase:tag", UPPER),
        ("test:5000/Uppercase/lowercase:tag", UPPER),
        ("-docker", FORMAT),
        ("-docker.io/docker/docker", FORMAT),
        ("docker-/docker", FORMAT),
        ("docker///docker", FORMAT),
        ("docker/", FORMAT),
        ("____/____", FORMAT),
        ("_docker/_docker", FORMAT),
        ("dock..er/docker", FORMAT),
        ("dock_.er/docker", FORMAT),
        ("aa/asdf$$^/aa", FORMAT),
        ("[fc00::1]", FORMAT),
        ("[fc00::1]:5000", FORMAT),
        ("fc00::1:5000/debian", FORMAT),
        ("[fe80::1%eth0]:5000/debian", FORMAT),
        ("[2001:db8:3:4::192.0.2.33]:5000/debian", FORMAT),
        ("registry.com:8080/myapp:invalid~tag", FORMAT),
        ("registry.com:8080/myapp@sha256:badbadbadbad", FORMAT),
        ("registry.com/app:" + "t" * 129, FORMAT),
        ("bad_hostname.com:8080/myapp:tag", FORMAT),
        ("nginx ", FORMAT),
        ("nginx\n", FORMAT),
        ("nginx:1\n", FORMAT),
        ("nginx:\uff11", FORMAT),
        ("example.com/" + "a/" * 5000 + "a", FORMAT),
        (F64, "cannot specify 64-byte hexadecimal strings"),
        ("example.com/" + "a" * 256, "must not be more than 255 characters"),
        (f"repo@sha256:{'f' * 34}", "invalid checksum digest length"),
        (f"repo@sha256:{'F' * 64}", "invalid checksum digest format"),
        (f"validname@invaliddigest:{F64}", "unsupported digest algorithm"),
        ("test.com:65536/repo", "a port is at most 65535"),
    ],
)
def test_what_is_no_reference_is_refused_in_the_words_of_the_grammar(
    written: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        parse(written)


def test_docker_hub_is_asked_at_the_host_that_answers_for_it() -> None:
    assert parse("nginx").registry == "registry-1.docker.io"
    assert parse("nginx").name == "docker.io/library/nginx"
    assert parse("ghcr.io/acme/web").registry == "ghcr.io"


def test_a_digest_outranks_the_tag() -> None:
    assert parse(f"ghcr.io/acme/web:1@{DIGEST}").manifest == DIGEST
    assert parse("ghcr.io/acme/web:1").manifest == "1"
    assert parse("ghcr.io/acme/web").manifest == "latest"


@pytest.mark.parametrize(
    ("written", "is_mutable", "is_implied"),
    [
        ("nginx", True, True),
        ("nginx:latest", True, False),
        ("nginx:1.27", False, False),
        (f"nginx@{DIGEST}", False, False),
        (f"nginx:latest@{DIGEST}", False, False),
    ],
)
def test_latest_and_no_tag_promise_nothing(
    written: str, *, is_mutable: bool, is_implied: bool
) -> None:
    found = parse(written)

    assert (found.is_mutable, found.tag_is_implied) == (is_mutable, is_implied)


COMPONENTS = st.from_regex(r"\A[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}\Z")
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\Z")
DOMAINS = st.one_of(
    st.just("docker.io"),
    st.just("localhost"),
    st.builds(lambda a, b: f"{a}.{b}", LABELS, LABELS).filter(lambda d: d != "index.docker.io"),
    st.builds(lambda a, port: f"{a}:{port}", LABELS, st.integers(1, 65535)),
    st.builds(lambda port: f"[2001:db8::1]:{port}", st.integers(1, 65535)),
)


@st.composite
def references(draw: st.DrawFn) -> ImageReference:
    domain = draw(DOMAINS)
    path = draw(st.lists(COMPONENTS, min_size=2 if domain == "docker.io" else 1, max_size=4))
    digest = draw(st.sampled_from([None, DIGEST, SHA512]))
    tag = draw(st.none() | st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,20}\Z"))
    implied = tag is None and digest is None
    return ImageReference(
        domain=domain,
        repository="/".join(path),
        tag="latest" if implied else tag,
        digest=digest,
        tag_is_implied=implied,
    )


@given(references())
def test_a_reference_survives_being_written_and_read(reference: ImageReference) -> None:
    assert parse(str(reference)) == reference


@given(st.text(max_size=80) | st.text(alphabet="a/:@.-_[]Z0%\n", max_size=30))
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    found = None
    with suppress(ValueError):
        found = parse(text)

    assert found is None or parse(str(found)) == found


def running(image: str, image_id: str) -> dict[str, Any]:
    return {
        "spec": {"containers": [{"name": "app", "image": image}]},
        "status": {"containerStatuses": [{"name": "app", "imageID": image_id}]},
    }


@pytest.mark.parametrize(
    ("image", "image_id", "told"),
    [
        ("reg.example/shop:v1", f"reg.example/shop@{DIGEST}", DIGEST),
        ("nginx", f"docker.io/library/nginx@{DIGEST}", DIGEST),
        ("nginx:1", f"docker-pullable://nginx@{DIGEST}", DIGEST),
        # The node has the same image by another name, too, and reports that one.
        ("reg.example/shop:v1", f"mirror.example/shop@{DIGEST}", f"mirror.example/shop@{DIGEST}"),
        ("reg.example/shop:v1", f"reg.example/a/shop@{DIGEST}", f"reg.example/a/shop@{DIGEST}"),
        (f"reg.example/shop@{DIGEST}", f"mirror.example/shop@{DIGEST}", DIGEST),
        ("reg.example/shop:v1", DIGEST, ""),
        ("Not An Image", f"reg.example/shop@{DIGEST}", f"reg.example/shop@{DIGEST}"),
    ],
)
def test_what_ran_is_known_by_its_digest_and_of_another_repository_by_its_name_too(
    image: str, image_id: str, told: str
) -> None:
    assert ran([running(image, image_id)]) == ({"app": told} if told else {})


@pytest.mark.parametrize(
    ("image", "asked", "is_it"),
    [
        ("reg.example:5000/team/shop:v1", "shop:v1", True),
        ("reg.example:5000/team/shop:v1", "team/shop", True),
        ("reg.example:5000/team/shop:v1", "reg.example:5000/team/shop:v1", True),
        ("reg.example:5000/team/shop:v1", "shop:v10", False),
        ("reg.example:5000/team/shop:v1", "op:v1", False),
        ("reg.example:5000/team/shop", "shop:latest", True),
        ("reg.example:5000/team/shop", "shop:5000", False),
        (f"shop:v1@{DIGEST}", "shop:v1", True),
        (f"shop:v1@{DIGEST}", f"shop@{DIGEST}", True),
        (f"shop@{DIGEST}", f"shop@{DIGEST}", True),
        (f"shop@{DIGEST}", "shop:v1", False),
    ],
)
def test_an_image_is_called_by_the_end_of_its_path_and_its_tag(
    image: str, asked: str, *, is_it: bool
) -> None:
    assert is_named(image, asked) == is_it
