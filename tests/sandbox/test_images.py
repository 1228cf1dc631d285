from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from sandbox import images
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BINARY = b"\x7fELF"


class FakeRegistry(BaseHTTPRequestHandler):
    """Keeps blobs, mounts them and takes manifests, as far as `push` uses that."""

    blobs: dict[str, bytes]
    manifests: dict[str, bytes]
    uploads: list[str]

    def do_HEAD(self) -> None:
        name = self.path.rpartition("/")[2]
        if name in self.manifests:
            digest = f"sha256:{hashlib.sha256(self.manifests[name]).hexdigest()}"
            return self.answer(200, {"Docker-Content-Digest": digest})
        # A blob is known to another repository only: as with the real one.
        return self.answer(404)

    def do_POST(self) -> None:
        digest = self.path.partition("mount=")[2].partition("&")[0]
        location = f"http://{self.headers['Host']}/upload?state=1"
        return self.answer(*((201, {}) if digest in self.blobs else (202, {"Location": location})))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/manifests/" in self.path:
            self.manifests[self.path.rpartition("/")[2]] = body
        else:
            digest = self.path.partition("digest=")[2]
            self.blobs[digest] = body
            self.uploads.append(digest)
        return self.answer(201)

    def answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[tuple[type[FakeRegistry], str]]:
    class Handler(FakeRegistry):
        blobs: dict[str, bytes] = {}  # noqa: RUF012
        manifests: dict[str, bytes] = {}  # noqa: RUF012
        uploads: list[str] = []  # noqa: RUF012

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Handler, f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def layer_file(tmp_path: Path) -> Path:
    file = tmp_path / "layer.tar"
    file.write_bytes(images.layer(BINARY).content)
    return file


def test_the_layer_holds_the_binary_and_nothing_of_the_machine() -> None:
    layer = images.layer(BINARY)

    assert layer == images.layer(BINARY)
    with tarfile.open(fileobj=io.BytesIO(layer.content)) as archive:
        (entry,) = archive.getmembers()
        content = archive.extractfile(entry)
        assert content is not None
        assert content.read() == BINARY
        assert (entry.name, entry.mode, entry.uid, entry.mtime) == ("app", 0o755, 0, 0)


def test_the_manifest_names_what_it_is_made_of() -> None:
    image = images.build(images.layer(BINARY), "x86_64", {"VERSION": "v2"}, "v2")

    manifest, config = json.loads(image.manifest.content), json.loads(image.config.content)
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["config"]["digest"] == image.config.digest
    assert manifest["config"]["size"] == len(image.config.content)
    assert [layer["digest"] for layer in manifest["layers"]] == [image.layer.digest]
    assert config["rootfs"] == {"type": "layers", "diff_ids": [image.layer.digest]}
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["Env"] == ["VERSION=v2"]
    assert config["config"]["User"] == "65532:65532"


def test_a_digest_is_the_hash_of_the_bytes() -> None:
    blob = images.Blob(b"text")

    assert blob.digest == f"sha256:{hashlib.sha256(b'text').hexdigest()}"


def test_two_tags_never_share_a_digest() -> None:
    layer = images.layer(BINARY)
    one, other = (images.build(layer, "x86_64", {"A": "1"}, tag) for tag in ("v1", "v2"))

    assert one.manifest.digest != other.manifest.digest


def test_the_same_image_has_the_same_digest() -> None:
    layer = images.layer(BINARY)
    one, other = (images.build(layer, "x86_64", {"A": "1"}, "v1") for _ in range(2))

    assert one.manifest.digest == other.manifest.digest


def test_a_push_returns_the_digest_that_the_registry_keeps(
    fake: tuple[type[FakeRegistry], str], layer_file: Path
) -> None:
    handler, address = fake
    registry = images.Registry(address, layer_file, "x86_64")

    digest = registry.push("web", "v1", {"HEALTH_STATUS": "503"})

    assert registry.manifest_digest("web", "v1") == digest
    config = json.loads(handler.manifests["v1"])["config"]["digest"]
    assert json.loads(handler.blobs[config])["config"]["Env"] == ["VERSION=v1", "HEALTH_STATUS=503"]


def test_the_layer_is_sent_once_for_all_images(
    fake: tuple[type[FakeRegistry], str], layer_file: Path
) -> None:
    handler, address = fake
    registry = images.Registry(address, layer_file, "x86_64")

    registry.push("app", "v1", {})
    registry.push("web", "v2", {})

    assert handler.uploads.count(images.layer(BINARY).digest) == 1


def test_an_unknown_tag_has_no_digest(
    fake: tuple[type[FakeRegistry], str], layer_file: Path
) -> None:
    registry = images.Registry(fake[1], layer_file, "x86_64")

    assert registry.manifest_digest("web", "never-pushed") is None


def test_a_registry_that_is_not_there_is_one_sentence(layer_file: Path) -> None:
    registry = images.Registry("127.0.0.1:1", layer_file, "x86_64")

    with pytest.raises(SandboxError, match=r"registry at 127\.0\.0\.1:1 does not answer"):
        registry.push("web", "v1", {})
