"""Image references by the grammar of github.com/distribution/reference, and what a registry said.

The kubelet and containerd normalise with that library (`ParseNormalizedNamed`, `ParseDockerRef`),
so a name that means one image to them must mean the same image here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from backout.core.kubernetes import objects
from backout.core.kubernetes.template import images

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backout.core.model import Object

DEFAULT_TAG = "latest"

_HUB = "docker.io"
_HUB_REGISTRY = "registry-1.docker.io"
_HUB_LEGACY = "index.docker.io"
_HUB_OFFICIAL = "library/"

_REPOSITORY_LIMIT = 255
# A longer text is no reference; the cap keeps the regular expressions away from megabytes.
_TEXT_LIMIT = 1024
_LAST_PORT = 65535

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<domain>{_HOST}(?::(?P<port>[0-9]+))?)/(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")

# Characters of the hexadecimal part, for the algorithms the kubelet's build registers.
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class ImageReference(Struct, frozen=True, kw_only=True):
    """One image's full name.

    `domain` is the registry as the name says it (`docker.io`, `ghcr.io`, `localhost:5000`),
    `repository` the path there (`library/nginx`). `tag` is None only where a `digest`
    (`sha256:…`) stands without one; `tag_is_implied` where nobody wrote `latest`.
    """

    domain: str
    repository: str
    tag: str | None
    digest: str | None
    tag_is_implied: bool

    @property
    def name(self) -> str:
        """Domain and repository, without tag and digest: what credentials are looked up by."""
        return f"{self.domain}/{self.repository}"

    @property
    def registry(self) -> str:
        """The `host[:port]` that answers for the domain; Docker Hub's is not its domain."""
        return _HUB_REGISTRY if self.domain == _HUB else self.domain

    @property
    def manifest(self) -> str:
        """What stands after `/manifests/`: the digest, which outranks the tag, or the tag."""
        return self.digest or self.tag or DEFAULT_TAG

    @property
    def is_mutable(self) -> bool:
        """Tell whether the name promises nothing: no digest, and `latest` said or implied."""
        return self.digest is None and self.tag == DEFAULT_TAG

    def __str__(self) -> str:
        tag = "" if self.tag is None or self.tag_is_implied else f":{self.tag}"
        return f"{self.name}{tag}" + (f"@{self.digest}" if self.digest else "")


def is_named(image: str, asked: str) -> bool:
    """Tell whether an image is what somebody calls NAME or NAME:TAG, `shop:v1` for example.

    As many of the last steps of its path are compared as are asked for, and the tag or the digest
    where one is.
    """
    name, tag = _split(image)
    wanted, wanted_tag = _split(asked)
    is_name = name == wanted or name.endswith(f"/{wanted}")
    return is_name and wanted_tag in {"", tag or DEFAULT_TAG, *tag.split("@")}


def short(image: str) -> str:
    """Return an image as people call it: `shop:v1` of `registry.example/team/shop:v1`.

    Of a digest 12 characters are left.
    """
    name, _, digest = image.rpartition("/")[2].partition("@")
    return f"{name}@{digest.removeprefix('sha256:')[:12]}" if digest else name


def beside(template: Object) -> str:
    """Return `(shop:v1)`: the images that stand beside a revision's number, each once."""
    return f"({', '.join(dict.fromkeys(map(short, images(template).values())))})"


def _split(image: str) -> tuple[str, str]:
    """Return an image's name, and what stands behind it: `v1`, `sha256:…` or `v1@sha256:…`."""
    bare, _, digest = image.partition("@")
    name, colon, tag = bare.rpartition(":")
    if not colon or "/" in tag:
        name, tag = bare, ""
    return name, f"{tag}@{digest}" if tag and digest else tag or digest


class ImageState(StrEnum):
    """What a registry's answer means.

    EXISTS: the manifest is there. MISSING: an authenticated "not found", the only one that may
    block. DENIED: 401 or 403, which hides existence. UNREACHABLE: no answer that says anything.
    INVALID: the reference is none (the kubelet's InvalidImageName).
    """

    EXISTS = "EXISTS"
    MISSING = "MISSING"
    DENIED = "DENIED"
    UNREACHABLE = "UNREACHABLE"
    INVALID = "INVALID"


class IndexEntry(Struct, frozen=True, kw_only=True):
    """One manifest of an index; `platform` is `os/architecture`, empty where it has none.

    BuildKit's attestations are entries too; they say `unknown/unknown`, which is none.
    """

    digest: str
    platform: str


class ImageAnswer(Struct, frozen=True, kw_only=True):
    """What the registry said of one image; never "it can be pulled": we are not the kubelet.

    `image` is the text that was asked for, `detail` one sentence for people, already escaped.
    `digest` and `media_type` are the manifest's or the index's where EXISTS and told;
    `credential` names the registry key of the credential used (never its value), None where none.
    `entries` are the index's, None where it is none or could not be read; `unread` says why then.
    """

    image: str
    state: ImageState
    detail: str
    digest: str | None = None
    media_type: str | None = None
    credential: str | None = None
    entries: tuple[IndexEntry, ...] | None = None
    unread: str = ""

    @property
    def digests(self) -> frozenset[str]:
        """Every digest that a node may report for these bytes: its own, and the entries'."""
        own = {self.digest} if self.digest else set()
        return frozenset(own | {e.digest for e in self.entries or ()})

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms that the index has something for; none where it is no index."""
        return frozenset(e.platform for e in self.entries or () if e.platform)


def parse(reference: str) -> ImageReference:
    """Return what an image's name means, as `docker pull` and the kubelet read it.

    Raises ValueError in the words of distribution/reference: `invalid reference format`,
    `repository name must be lowercase`, and so on. The words never repeat the text.
    """
    if not reference:
        raise ValueError("repository name must have at least one component")
    if _IDENTIFIER.fullmatch(reference):
        raise ValueError("invalid repository name, cannot specify 64-byte hexadecimal strings")
    full = "/".join(_split_domain(reference))
    match = _REFERENCE.fullmatch(full) if len(full) <= _TEXT_LIMIT else None
    if match is None:
        raise ValueError(_why_not(full))
    _check_name(match)
    digest = match["digest"]
    if digest is not None:
        check_digest(digest)
    implied = match["tag"] is None and digest is None
    return ImageReference(
        domain=match["domain"],
        repository=match["repository"],
        tag=DEFAULT_TAG if implied else match["tag"],
        digest=digest,
        tag_is_implied=implied,
    )


def check_digest(digest: str) -> None:
    """Raise ValueError unless `digest` is one of opencontainers/go-digest (sha256, 384, 512)."""
    algorithm, _, encoded = digest.partition(":")
    if algorithm not in _DIGEST_LENGTHS:
        raise ValueError("unsupported digest algorithm")
    if len(encoded) != _DIGEST_LENGTHS[algorithm]:
        raise ValueError("invalid checksum digest length")
    if not re.fullmatch(r"[a-f0-9]+", encoded):
        raise ValueError("invalid checksum digest format")


def _split_domain(reference: str) -> tuple[str, str]:
    """Mirror distribution/reference normalize.go `splitDockerDomain`."""
    first, slash, rest = reference.partition("/")
    if not slash:
        return _HUB, _HUB_OFFICIAL + reference
    is_domain = first == "localhost" or "." in first or ":" in first or first.lower() != first
    if not is_domain:
        return _HUB, reference
    domain = _HUB if first == _HUB_LEGACY else first
    if domain == _HUB and "/" not in rest:
        rest = _HUB_OFFICIAL + rest
    return domain, rest


def _why_not(full: str) -> str:
    domain, _, rest = full.partition("/")
    if len(full) <= _TEXT_LIMIT and _REFERENCE.fullmatch(f"{domain}/{rest.lower()}"):
        return "repository name must be lowercase"
    return "invalid reference format"


def _check_name(match: re.Match[str]) -> None:
    if len(match["repository"]) > _REPOSITORY_LIMIT:
        raise ValueError(f"repository name must not be more than {_REPOSITORY_LIMIT} characters")
    # The grammar takes any number here; no address has such a port, so nobody could pull it.
    if match["port"] is not None and int(match["port"]) > _LAST_PORT:
        raise ValueError(f"invalid reference format: a port is at most {_LAST_PORT}")


def ran(pods: Iterable[Object]) -> dict[str, str]:
    """Return the digest of the image that each container of these Pods runs, where all agree.

    From `imageID` of the statuses; one without `@` is no digest that a registry knows. A node that
    has the same image by several names reports any of them, and each repository may keep it as
    another manifest: a digest of another repository stands behind its name, `NAME@sha256:…`.
    """
    seen: dict[str, set[str]] = {}
    for pod in pods:
        named = {str(c.get("name")): str(c.get("image")) for c in objects.containers(pod)}
        for status, _ in objects.container_statuses(pod):
            where, mark, digest = str(status.get("imageID") or "").rpartition("@")
            name = str(status.get("name"))
            if mark:
                is_own = _is_of(named.get(name, ""), where, digest)
                seen.setdefault(name, set()).add(digest if is_own else f"{where}@{digest}")
    return {name: min(digests) for name, digests in seen.items() if len(digests) == 1}


def _is_of(image: str, repository: str, digest: str) -> bool:
    """Tell whether an image's digest is told by its own name, or is the one that it asks for.

    A runtime may write the repository as a URL.
    """
    try:
        wanted = parse(image)
        return digest == wanted.digest or (
            wanted.name == parse(repository.rpartition("://")[2]).name
        )
    except ValueError:
        return False
