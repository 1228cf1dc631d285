"""Pull Secrets against the API server and a real closed registry: used where they may be read."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from backout.core.images.keyring import Keyring
from backout.core.images.names import ImageAnswer, ImageState
from backout.core.preflight.request import Request
from backout.core.preflight.snapshot import Need
from backout.registry.client import RegistryClient
from backout.steps.preflight.prepare import prepare
from tests.contract.registry import docker_registry
from tests.contract.registry.docker_registry import SECRET, USER
from tests.contract.registry.scripts import basic
from tests.contract.scripted_server import Answer, Hang, ScriptedServer
from tests.contract.steps.shop import QUICK, deploy, running, within
from tests.objects.pull_secrets import pull_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from backout.core.plan.plan import Plan, Refusal
    from backout.steps.run import Run
    from tests.contract.api_server import ApiServer

LISTED = {"imagePullSecrets": [{"name": "pull"}]}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry.closed(tmp_path_factory.mktemp("closed")) as address:
        opener = basic(USER, SECRET)
        docker_registry.push(address, "acme/web", "1", authorization=opener)
        yield address


def config(address: str, password: str = SECRET) -> dict[str, Any]:
    return {"auths": {address: {"username": USER, "password": password}}}


def aim(api: ApiServer, image: str, **spec: Any) -> None:
    """Let revision 3 be the target: this image, and this in its Pods' spec; revision 4 is bad."""

    def change(web: dict[str, Any]) -> None:
        web["spec"]["template"]["spec"].update(spec)

    api.edit("deployments", "web", change)
    deploy(api, image)
    deploy(api, "127.0.0.1:1/app:bad-again")


@asynccontextmanager
async def registered(api: ApiServer, address: str, **how: Any) -> AsyncIterator[Run]:
    async with (
        running(api, **how) as run,
        RegistryClient(keyring=Keyring(), plain_http=frozenset({address})) as client,
    ):
        yield within(run, registry=client)


async def prepared(api: ApiServer, address: str) -> Plan | Refusal:
    async with registered(api, address) as run:
        return await prepare(run)


async def asked(api: ApiServer, address: str) -> tuple[ImageAnswer, tuple[str, ...], str]:
    """Return what is said of the target's image, the notes, and the whole plan as text."""
    plan = await prepared(api, address)
    assert plan.preflight is not None
    snapshot = plan.preflight.snapshot
    (answer,) = snapshot.images.values()
    return answer, snapshot.pull_notes, repr(plan)


async def test_the_pods_own_pull_secret_is_used(api: ApiServer, registry: str) -> None:
    api.add("secrets", pull_secret(config(registry)))
    aim(api, f"{registry}/acme/web:1", **LISTED)
    answer, notes, plan = await asked(api, registry)

    assert (answer.state, notes) == (ImageState.EXISTS, ())
    assert SECRET not in plan
    assert base64.b64encode(SECRET.encode()).decode()[:10] not in plan


async def test_the_service_accounts_is_used_only_where_the_pod_lists_none(
    api: ApiServer, registry: str
) -> None:
    api.add("secrets", pull_secret(config(registry), "of-account"))
    api.add("secrets", pull_secret(config(registry, "wrong-Passw0rd")))
    account = {"imagePullSecrets": [{"name": "of-account"}]}
    api.edit("serviceaccounts", "default", lambda it: it.update(account))
    aim(api, f"{registry}/acme/web:1")
    by_account, *_ = await asked(api, registry)
    aim(api, f"{registry}/acme/web:1", **LISTED)
    by_pod, *_ = await asked(api, registry)

    assert (by_account.state, by_pod.state) == (ImageState.EXISTS, ImageState.DENIED)


async def test_one_of_several_that_fits_is_enough(api: ApiServer, registry: str) -> None:
    api.add("secrets", pull_secret(config(registry, "wrong-Passw0rd"), "first"))
    api.add("secrets", pull_secret(config(registry), "second"))
    listed = [{"name": "gone"}, {"name": "first"}, {}, {"name": "second"}]
    aim(api, f"{registry}/acme/web:1", imagePullSecrets=listed)
    answer, notes, _ = await asked(api, registry)

    assert answer.state is ImageState.EXISTS
    assert len(notes) == 1
    assert notes[0].startswith("Secret shop/gone could not be read: ")


async def test_one_that_may_not_be_read_is_named_with_the_denial(
    api: ApiServer, registry: str
) -> None:
    api.denied.add("get secrets")
    aim(api, f"{registry}/acme/web:1", **LISTED)
    plan = await prepared(api, registry)

    (found,) = [f for f in plan.findings if f.id == "PF303"]
    assert "; Secret shop/pull could not be read: " in found.message


@pytest.mark.parametrize("content", [f'{{"auths": {SECRET}', [SECRET], {"auths": SECRET}])
async def test_bad_content_is_said_and_never_shown(
    api: ApiServer, registry: str, content: Any
) -> None:
    api.add("secrets", pull_secret(content))
    aim(api, f"{registry}/acme/web:1", **LISTED)
    answer, notes, plan = await asked(api, registry)

    assert answer.state is ImageState.DENIED
    assert notes == ("Secret shop/pull holds no Docker config under .dockerconfigjson",)
    assert SECRET not in plan


async def test_no_secret_is_read_where_the_registry_tells_everybody(
    api: ApiServer, tmp_path: Path
) -> None:
    api.add("secrets", pull_secret(config("reg.example")))
    with docker_registry.running(tmp_path) as address:
        docker_registry.push(address, "acme/web", "1")
        aim(api, f"{address}/acme/web:1", **LISTED)
        answer, *_ = await asked(api, address)

    assert answer.state is ImageState.EXISTS
    assert not [r for r in api.requests if r.path.endswith("/secrets/pull")]


async def test_what_ran_is_asked_for_by_its_digest_and_pinned(
    api: ApiServer, tmp_path: Path
) -> None:
    with docker_registry.running(tmp_path) as address:
        old = docker_registry.push(address, "acme/web", "1")
        aim(api, f"{address}/acme/web:1")
        ran = {"name": "app", "imageID": f"{address}/acme/web@{old}"}
        (pod,) = (p for p in api.all("pods") if address in json.dumps(p["spec"]))
        api.edit(
            "pods",
            pod["metadata"]["name"],
            lambda p: p["status"].update(containerStatuses=[ran]),
        )
        new = docker_registry.push(address, "acme/web", "2")
        docker_registry.push_index(address, "acme/web", "1", amd64=new)
        refusal = await prepared(api, address)
        async with registered(api, address, policy=Request(pin=True)) as run:
            plan = await prepare(run)

    (found,) = [f for f in refusal.findings if f.id == "PF307"]
    assert found.remedy.startswith("to run what ran: ")
    assert "PF307" not in {f.id for f in plan.findings}
    assert plan.preflight is not None
    (container,) = plan.preflight.destination.template["spec"]["containers"]
    assert container["image"] == f"{address}/acme/web@{old}"


async def test_a_registry_that_hangs_is_not_waited_for_where_it_can_only_warn(
    api: ApiServer,
) -> None:
    async with ScriptedServer([Hang(), Answer(status=404)]) as server:
        address = f"127.0.0.1:{server.port}"
        aim(api, f"{address}/acme/web:1")
        limits = replace(QUICK, preflight=0.3)
        async with registered(api, address, limits=limits, look_for_leaks=False) as run:
            plan = await prepare(run)

    assert plan.preflight is not None
    assert "0.3 s" in plan.preflight.snapshot.unreadable[Need.IMAGES]


async def test_one_slow_registry_hides_no_other_answer(api: ApiServer) -> None:
    """The slow one is in the sidecar; the target's own image has been moved meanwhile."""
    found = Answer(headers={"Docker-Content-Digest": "sha256:" + "b" * 64})
    async with (
        ScriptedServer(lambda _: Hang()) as slow,
        ScriptedServer(lambda _: found) as quick,
    ):
        addresses = [f"127.0.0.1:{one.port}" for one in (slow, quick)]
        sidecar = {"name": "side", "image": f"{addresses[0]}/acme/side:1"}

        def change(web: dict[str, Any]) -> None:
            web["spec"]["template"]["spec"]["containers"].append(sidecar)

        api.edit("deployments", "web", change)
        deploy(api, f"{addresses[1]}/acme/web:1")
        deploy(api, "127.0.0.1:1/app:bad-again")
        limits = replace(QUICK, preflight=0.3)
        async with (
            running(api, limits=limits, look_for_leaks=False) as run,
            RegistryClient(keyring=Keyring(), plain_http=frozenset(addresses)) as client,
        ):
            plan = await prepare(within(run, registry=client))

    assert plan.preflight is not None
    answers = plan.preflight.snapshot.images
    assert answers[f"{addresses[1]}/acme/web:1"].state is ImageState.EXISTS
    late = answers[f"{addresses[0]}/acme/side:1"]
    assert (late.state, "0.3 s" in late.detail) == (ImageState.UNREACHABLE, True)
    assert Need.IMAGES not in plan.preflight.snapshot.unreadable


async def test_not_found_is_no_proof_where_the_pods_own_secret_could_not_be_read(
    api: ApiServer, tmp_path: Path
) -> None:
    api.denied.add("get secrets")
    with docker_registry.running(tmp_path) as address:
        docker_registry.push(address, "acme/web", "0")
        aim(api, f"{address}/acme/web:1", **LISTED)
        hidden, *_ = await asked(api, address)
        aim(api, f"{address}/acme/web:2", imagePullSecrets=[])
        gone, *_ = await asked(api, address)

    assert (hidden.state, gone.state) == (ImageState.DENIED, ImageState.MISSING)
    assert "not visible to us" in hidden.detail
