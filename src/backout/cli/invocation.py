"""What the command line said, once it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from backout.cli.options import target as targets
from backout.cli.options.groups.consent import ConsentOptions
from backout.cli.options.groups.health import HealthOptions
from backout.cli.options.groups.recording import RecordOptions
from backout.cli.options.groups.registry import RegistryOptions
from backout.cli.options.groups.telemetry import TelemetryOptions
from backout.cli.options.meaning.limits import limits
from backout.cli.options.meaning.request import reason as checked
from backout.cli.options.meaning.request import requested, trace_id_of
from backout.cli.options.meaning.telemetry_of import telemetry
from backout.cli.program import program
from backout.core.preflight.request import Request
from backout.session.health_urls import HealthUrls
from backout.session.registries import Registries
from backout.session.services import Services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from backout.cli.options.groups.options import Options
    from backout.cli.options.shared import Common
    from backout.core.kinds.target import Target
    from backout.core.outcome import Outcome
    from backout.steps.run import Limits, Run

G = TypeVar("G")


class Invocation(Struct, frozen=True, kw_only=True):
    """The steps to carry out, on what, and how.

    `workload` makes the target once the namespace is known.
    """

    carry_out: Callable[[Run], Awaitable[Outcome]]
    workload: Callable[[str], Target]
    shared: Common
    request: Request
    limits: Limits
    services: Services
    trace_id: str
    journal: Path | None = None
    dry_run: bool = False
    ask: bool = False


def invocation(
    carry_out: Callable[[Run], Awaitable[Outcome]],
    workload: tuple[str, ...],
    shared: Common,
    *groups: Options,
    again: tuple[str, ...] = (),
    reason: str = "",
) -> Invocation:
    """Return what the command line said; raise click.UsageError where it contradicts itself.

    `again` is the command that goes on in spite of a finding, where there is one: what the policy
    file accepts holds only there.
    """
    request = Request(
        accepted=shared.standing if again else (),
        reason=checked(reason),
        command=again,
        program=program(),
    )
    for group in groups:
        request = requested(request, group)
    record = _first(groups, RecordOptions)
    consent = _first(groups, ConsentOptions)
    return Invocation(
        carry_out=carry_out,
        workload=lambda namespace: targets.parse(workload, namespace),
        shared=shared,
        request=request,
        trace_id=trace_id_of(record.trace_id if record is not None else None),
        services=_services(groups),
        limits=limits(shared.request_timeout, shared.timeout, groups),
        journal=_path(record.journal) if record is not None else None,
        dry_run=consent is not None and consent.is_trial,
        ask=consent is not None and not consent.yes and not consent.is_trial,
    )


def _first(groups: tuple[Options, ...], kind: type[G]) -> G | None:
    return next((one for one in groups if isinstance(one, kind)), None)


def _services(groups: tuple[Options, ...]) -> Services:
    made = Services()
    for group in groups:
        match group:
            case HealthOptions():
                file = _path(group.health_header_file)
                health = HealthUrls(header_file=file, ca=group.health_ca)
                made = replace(made, health=health)
            case RegistryOptions():
                registries = Registries(
                    auth_file=_path(group.registry_auth_file),
                    plain_http=frozenset(group.registry_plain_http),
                    ca=group.registry_ca,
                )
                made = replace(made, registries=registries)
            case TelemetryOptions():
                made = replace(made, telemetry=telemetry(group))
            case _:
                pass
    return made


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
