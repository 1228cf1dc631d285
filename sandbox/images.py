"""Images without Docker: the sample application, with an environment baked in, is one layer.

    digest = images.push("web", "v3", {"HEALTH_STATUS": "503"})
    images.delete("web", digest)

The layer is pushed once; another image of it is two small requests.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Digest = NewType("Digest", str)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Not root, and a number: what Pod Security's `restricted` asks for.
USER = "65532:65532"
LAYER_REPOSITORY = "app"
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Blob:
    """Bytes and their digest."""

    content: bytes

    @property
    def digest(self) -> Digest:
        """Return the name under which a registry keeps the bytes."""
        return Digest(f"sha256:{hashlib.sha256(self.content).hexdigest()}")


@dataclass(frozen=True)
class Image:
    """One image: its manifest names the digests of its config and its only layer."""

    layer: Blob
    config: Blob
    manifest: Blob


def layer(binary: bytes) -> Blob:
    """Return the layer: a tar of one file, the same bytes for the same binary."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("app")
        entry.size, entry.mode = len(binary), 0o755
        archive.addfile(entry, io.BytesIO(binary))
    return Blob(buffer.getvalue())


def build(
    content: Blob, machine: str, env: Mapping[str, str], tag: str, argv: Sequence[str] = ("/app",)
) -> Image:
    """Put an image together. The tag is in it: two tags never share a digest by accident."""
    config = Blob(
        _json(
            {
                "architecture": ARCHITECTURES[machine],
                "os": "linux",
                "config": {
                    "Entrypoint": list(argv),
                    "Env": [f"{name}={value}" for name, value in env.items()],
                    "Labels": {"org.opencontainers.image.version": tag},
                    "User": USER,
                    "WorkingDir": "/",
                },
                "rootfs": {"type": "layers", "diff_ids": [content.digest]},
            }
        )
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, config),
        "layers": [_descriptor(LAYER, content)],
    }
    return Image(content, config, Blob(_json(manifest)))


def _descriptor(media_type: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": blob.digest, "size": len(blob.content)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Registry:
    """The registry, and the layer that all images share."""

    address: str
    layer_file: Path
    machine: str

    def push(
        self, repository: str, tag: str, env: Mapping[str, str], argv: Sequence[str] = ("/app",)
    ) -> Digest:
        """Push the sample application; VERSION is the tag unless the environment says another."""
        content = Blob(self.layer_file.read_bytes())
        image = build(content, self.machine, {"VERSION": tag, **env}, tag, argv)
        for blob in (image.layer, image.config):
            self._push_blob(repository, blob)
        path = f"/v2/{repository}/manifests/{tag}"
        self._expect(201, "PUT", path, image.manifest.content, MANIFEST)
        return image.manifest.digest

    def delete(self, repository: str, digest: Digest) -> None:
        """Delete a manifest, and with it every tag that points to it."""
        self._expect(202, "DELETE", f"/v2/{repository}/manifests/{digest}")

    def manifest_digest(self, repository: str, tag: str) -> Digest | None:
        """Return what a tag points to; None when the registry does not know it."""
        status, headers = self._request("HEAD", f"/v2/{repository}/manifests/{tag}")
        digest = headers.get("Docker-Content-Digest")
        return Digest(digest) if status == http.client.OK and digest else None

    def _push_blob(self, repository: str, blob: Blob) -> None:
        status, _ = self._request("HEAD", f"/v2/{repository}/blobs/{blob.digest}")
        if status == http.client.OK:
            return
        start = f"/v2/{repository}/blobs/uploads/?mount={blob.digest}&from={LAYER_REPOSITORY}"
        status, headers = self._request("POST", start)
        if status == http.client.CREATED:
            return
        location = headers["Location"].partition(self.address)[2] or headers["Location"]
        separator = "&" if "?" in location else "?"
        upload = f"{location}{separator}digest={blob.digest}"
        self._expect(201, "PUT", upload, blob.content, "application/octet-stream")

    def _expect(
        self, wanted: int, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> None:
        status, _ = self._request(method, path, body, kind)
        if status != wanted:
            raise SandboxError(
                f"The sandbox's registry answered {status} to {method} {path.partition('?')[0]}."
            )

    def _request(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": MANIFEST} | ({"Content-Type": kind} if kind else {})
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            response.read()
        except OSError as error:
            raise SandboxError(
                f"The sandbox's registry at {self.address} does not answer: {error}."
            ) from error
        finally:
            connection.close()
        return response.status, response.headers


def push(repository: str, tag: str, env: Mapping[str, str] | None = None) -> Digest:
    """Push the sample application with this environment to the running sandbox's registry."""
    return _registry().push(repository, tag, env or {})


def delete(repository: str, digest: Digest) -> None:
    """Delete an image from the running sandbox's registry: the old image is gone."""
    _registry().delete(repository, digest)


def manifest_digest(repository: str, tag: str) -> Digest | None:
    """Return what a tag of the running sandbox's registry points to; None when unknown."""
    return _registry().manifest_digest(repository, tag)


def _registry() -> Registry:
    # Here, because `up` pushes images while there is no running sandbox yet.
    from sandbox.cluster import running  # noqa: PLC0415

    cluster = running()
    return Registry(cluster.registry, cluster.layer, cluster.machine)
