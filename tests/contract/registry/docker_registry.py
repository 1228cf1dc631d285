"""A real registry on loopback: Debian's `docker-registry` (2.8.2), and images in it."""

from __future__ import annotations

import hashlib
import json
import queue
import re
import shutil
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHIN = 20.0
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_LISTENING = re.compile(rb"listening on (127\.0\.0\.1:\d+)")


USER = "robot"
SECRET = "made-up-Passw0rd"
HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuaa4WhsYlw3k.ULpra3jrKlVEAnB51gG\n"


@contextmanager
def closed(folder: Path) -> Iterator[str]:
    """Run a registry that lets only `USER` in; give its `host:port`."""
    (folder / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "closed", "path": str(folder / "htpasswd")}}
    with running(folder, auth) as address:
        yield address


@contextmanager
def running(folder: Path, auth: dict[str, Any] | None = None) -> Iterator[str]:
    """Run a registry with its store in `folder`; give its `host:port`."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        pytest.fail("docker-registry is missing: apt-get install docker-registry")
    config = folder / "config.json"
    config.write_text(json.dumps(_config(folder, auth)))  # JSON is YAML
    with subprocess.Popen([program, "serve", str(config)], stderr=subprocess.PIPE) as registry:
        address: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_read, args=(registry, address))
        reader.start()
        try:
            yield address.get(timeout=WITHIN)
        except queue.Empty:
            pytest.fail(f"docker-registry did not start within {WITHIN:g} s")
        finally:
            _stop(registry)
            reader.join(WITHIN)


def _stop(registry: subprocess.Popen[bytes]) -> None:
    registry.terminate()
    try:
        registry.wait(WITHIN)
    except subprocess.TimeoutExpired:
        registry.kill()


def _config(folder: Path, auth: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "store")},
            "delete": {"enabled": True},
        },
        "http": {"addr": "127.0.0.1:0"},
        **({"auth": auth} if auth else {}),
    }


def _read(registry: subprocess.Popen[bytes], address: queue.Queue[str]) -> None:
    """Find the address in the log and read on, so that the pipe never fills."""
    if registry.stderr is None:
        return
    for line in registry.stderr:
        if match := _LISTENING.search(line):
            address.put(match[1].decode())


def push(address: str, name: str, tag: str, *, authorization: str = "") -> str:
    """Push a made-up image; return its digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "name": f"{name}:{tag}"}).encode()
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    started = _send("POST", f"http://{address}/v2/{name}/blobs/uploads/", authorization)
    place = started["Location"]
    joined = f"{place}{'&' if '?' in place else '?'}digest={digest}"
    _send("PUT", joined, authorization, config, "application/octet-stream")
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(config),
            "digest": digest,
        },
        "layers": [],
    }
    return _put_manifest(address, name, tag, manifest, authorization)


def push_index(address: str, name: str, tag: str, **platforms: str) -> str:
    """Push an index of images that are there, digest by architecture; return its digest."""
    entries = [
        {
            "mediaType": MANIFEST,
            "digest": digest,
            "size": 1,
            "platform": {
                "os": "unknown" if architecture == "unknown" else "linux",
                "architecture": architecture,
            },
        }
        for architecture, digest in platforms.items()
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return _put_manifest(address, name, tag, index, "")


def delete(address: str, name: str, digest: str) -> None:
    """Delete a manifest, and with it its tags."""
    _send("DELETE", f"http://{address}/v2/{name}/manifests/{digest}", "")


def _put_manifest(
    address: str, name: str, tag: str, manifest: dict[str, Any], authorization: str
) -> str:
    url = f"http://{address}/v2/{name}/manifests/{tag}"
    body = json.dumps(manifest).encode()
    return _send("PUT", url, authorization, body, manifest["mediaType"])["Docker-Content-Digest"]


def _send(
    method: str, url: str, authorization: str, body: bytes | None = None, media_type: str = ""
) -> dict[str, str]:
    headers = {"Authorization": authorization} if authorization else {}
    if media_type:
        headers["Content-Type"] = media_type
    request = urllib.request.Request(url, data=body, method=method, headers=headers)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=WITHIN) as response:
        return dict(response.headers)
