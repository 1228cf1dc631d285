"""The API server's dry runs: the exact patch, and a Pod as a controller would make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backout.core.errors import ApiError, BackoutError, Conflict
from backout.core.kubernetes import objects
from backout.core.preflight import admission
from backout.core.preflight.admission import DryRun
from backout.kube import paths
from backout.steps.preflight.patch import made

if TYPE_CHECKING:
    from backout.core.model import Object, Revision
    from backout.kube.answers import Patched
    from backout.steps.run import Run

ATTEMPTS = 4
"""How often the workload is read again because its status moved."""
_BAD_REQUEST, _FORBIDDEN, _INVALID = 400, 403, 422


async def patched(run: Run, workload: Object, destination: Revision) -> Patched:
    """Send the patch of an undo as the server's dry run; return what would be.

    Raises what the server says: Conflict where the workload does not keep still.
    """
    path = paths.workload(run.target)
    for _ in range(ATTEMPTS - 1):
        try:
            return await _patched(run, path, workload, destination)
        except Conflict:
            workload = await run.client.get(path)
    return await _patched(run, path, workload, destination)


async def of_patch(run: Run, workload: Object, destination: Revision) -> DryRun | str:
    """Return what the server makes of the patch, or why that could not be found out."""
    try:
        answer = await patched(run, workload, destination)
    except BackoutError as error:
        return _refused(error)
    template = objects.dig(answer.object, "spec", "template")
    return DryRun(template=template, warnings=answer.warnings)


async def of_pod(run: Run, workload: Object, destination: Revision) -> DryRun | str:
    """Return whether a Pod of the target would be taken, or why that could not be found out."""
    pod = admission.pod_of(workload, destination, run.target.kind)
    try:
        await run.client.create(paths.pods(run.target.namespace), pod, params={"dryRun": "All"})
    except BackoutError as error:
        return _refused(error)
    return DryRun()


async def _patched(run: Run, path: str, workload: Object, destination: Revision) -> Patched:
    return await run.client.patch_json(path, made(run, destination, workload).ops, dry_run=True)


def _refused(error: BackoutError) -> DryRun | str:
    """Return a refusal; a text where the error says nothing about what was to be tried.

    A webhook that knows no dry run answers 400: that verifies nothing (docs/facts/api-server.md).
    """
    if isinstance(error, ApiError) and error.code in {_BAD_REQUEST, _FORBIDDEN, _INVALID}:
        unknown = error.code == _BAD_REQUEST and "does not support dry run" in error.message
        return error.message if unknown else DryRun(refused=error.message)
    return error.message
