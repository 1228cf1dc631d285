"""Reads the pull Secrets of a template, as the kubelet would: for this run's questions only.

What they hold stays in the keyring: it is in no snapshot, no message, no record.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from backout.core.errors import BackoutError
from backout.core.images.docker_config import from_secret
from backout.core.images.keyring import Keyring
from backout.core.kubernetes import objects
from backout.core.references.references import Referent
from backout.kube import paths

if TYPE_CHECKING:
    from backout.core.model import Object
    from backout.steps.run import Run

MOST = 10
"""Secrets that are read; a Pod has one or two."""


async def read(run: Run, template: Object) -> tuple[Keyring, tuple[str, ...]]:
    """Return their credentials, and a sentence on each that could not be used.

    The ServiceAccount's count only where the Pod lists none (kubernetes
    plugin/pkg/admission/serviceaccount).
    """
    spec = objects.dig(template, "spec", default={})
    try:
        names = _names(spec) or await _of_account(run, spec)
    except BackoutError as error:
        return Keyring(), (f"the ServiceAccount's pull Secrets are not known: {error.message}",)
    told = await asyncio.gather(*(_one(run, name) for name in names[:MOST]))
    keyring = Keyring()
    for one in told:
        if isinstance(one, Keyring):
            keyring = keyring.joined(one)
    return keyring, tuple(one for one in told if isinstance(one, str))


def _names(holder: Object) -> list[str]:
    listed = objects.dig(holder, "imagePullSecrets", default=[])
    return list(dict.fromkeys(str(one["name"]) for one in listed if objects.dig(one, "name")))


async def _of_account(run: Run, spec: Object) -> list[str]:
    name = str(objects.dig(spec, "serviceAccountName", default="default"))
    path = paths.named(run.target.namespace, str(Referent.SERVICE_ACCOUNT), name)
    return _names(await run.client.get(path))


async def _one(run: Run, name: str) -> Keyring | str:
    source = f"Secret {run.target.namespace}/{name}"
    try:
        path = paths.named(run.target.namespace, str(Referent.SECRET), name)
        secret = await run.client.get(path)
    except BackoutError as error:
        return f"{source} could not be read: {error.message}"
    found = from_secret(secret, source=source)
    if isinstance(found, Keyring):
        run.session.mask.learn_logins(found.logins())
    return found
