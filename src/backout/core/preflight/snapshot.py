"""All that was read before a decision, and `unreadable`: what RBAC or a fault hid."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from backout.core.health.endpoints import asked_of
from backout.core.health.expectation import SUCCESS, Expected
from backout.core.history.revisions import NOTHING, Known
from backout.core.ledger import form, memory
from backout.core.ledger.records import Ledger
from backout.core.value import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backout.core.health.endpoints import Endpoint, NotAsked
    from backout.core.health.judgement import Sample
    from backout.core.health.promql import Metric
    from backout.core.history.revisions import Choice
    from backout.core.images.names import ImageAnswer
    from backout.core.kinds.kind import Kind, Pace
    from backout.core.ledger.records import UnreadableLedger
    from backout.core.model import Acceptance, Object, Revision, Target
    from backout.core.owners.owners import Owner
    from backout.core.preflight.admission import DryRun
    from backout.core.preflight.rehearsal import Rehearsal
    from backout.core.references.references import Named, Reference


class Need(StrEnum):
    """What a check reads. Where one is in `unreadable`, checks that need it are skipped."""

    PODS = "pods"
    SERVICES = "services"
    LEDGER = "ledger"
    PERMISSIONS = "permissions"
    IMAGES = "images"
    IMAGE_INDEXES = "what stands in an image's index"
    POD_HEALTH = "pod health"
    CONFIG_MAPS = "ConfigMaps"
    SECRETS = "Secrets"
    KEYS = "keys of ConfigMaps and Secrets"
    CLAIMS = "PersistentVolumeClaims"
    SERVICE_ACCOUNTS = "ServiceAccounts"
    CLASSES = "PriorityClasses and RuntimeClasses"
    NODES = "nodes"
    QUOTAS = "ResourceQuotas"
    AUTOSCALERS = "HorizontalPodAutoscalers"
    BUDGETS = "PodDisruptionBudgets"
    STORAGE_CLASSES = "StorageClasses"
    LIMIT_RANGES = "LimitRanges"
    ROLLOUTS = "Argo Rollouts"
    NEIGHBOURS = "the namespace's Deployments"
    DRY_RUN = "dry run of the patch"
    INTENT = "who would undo it, and why"
    POD_DRY_RUN = "dry run of a Pod"
    BASELINE = "health before"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the user asked for and allows. `to_revision` None: backout chooses.

    `limit` rollbacks in `window`; `strict`: a WARN refuses, too; `fail_fast`: a suspected cause is
    final; `take_over`: a lock is taken whoever holds it; `ledger_is_local`: a file of this machine
    stands for the Lease; `health` names URLs, `/paths` and `port/paths`, all of which must be as
    `expected`; `health_command` is for a shell; `baseline`: all but that is asked before, too;
    `metrics` must hold for the service to be healthy; `pin`: images by the digest that ran.
    `to_last_healthy`: only a revision that the ledger recorded healthy will do; `require_proof`: an
    unproven one refuses; `rehearse`: seconds that a trial Pod of the target may take, 0: none.
    `is_survey`: nobody means to undo this one now, many are looked at.
    `command` is the command line as given (without the program's name), for the line that goes on.
    """

    to_revision: int | None = None
    accepted: tuple[Acceptance, ...] = ()
    reason: str = ""
    resume: bool = False
    limit: int = 2
    window: timedelta = timedelta(hours=1)
    health: tuple[str, ...] = ()
    expected: Expected = SUCCESS
    health_method: str = "GET"
    health_command: str = ""
    baseline: bool = False
    successes: int = 3
    metrics: tuple[Metric, ...] = ()
    require_health: bool = False
    take_over: bool = False
    fail_fast: bool = False
    strict: bool = False
    ledger_is_local: bool = False
    pin: bool = False
    to_last_healthy: bool = False
    require_proof: bool = False
    rehearse: float = 0.0
    is_survey: bool = False
    command: tuple[str, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """What is asked directly, as a user asks it."""
        return tuple(dict.fromkeys(one for one in self.health if "://" in one))

    @property
    def paths(self) -> tuple[str, ...]:
        """What Pods and Services are asked, through the API server."""
        return tuple(dict.fromkeys(one for one in self.health if "://" not in one))


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Objects as the API server gave them, and answers of others, all read before acting.

    `permissions` maps `verb resource` to what SelfSubjectAccessReview said; `images` maps an image
    of the target to its registry's answer; `pod_health` has one sample for each Pod of the target
    that was asked (core/health/asking.py); `baseline` is what the service said before. `now` is the
    server's time. `is_observed` tells whether the controller has seen the newest spec. `named` is
    what the target and the current revision name; `dry_run` and `pod_dry_run` are None where they
    were not made, `rehearsal` where none was asked.
    `stored` is its history, `neighbours` are the workloads of its kind in its namespace.
    `gone_classes` are StorageClasses that its claims need and that do not exist. `ran_images`
    maps `image@digest` of what ran to the registry's answer, where the tag says something else;
    `pull_notes` say which pull Secrets could not be used.
    """

    target: Target
    workload: Object
    stored: tuple[Object, ...]
    pods: tuple[Object, ...]
    now: datetime
    is_observed: bool
    services: tuple[Object, ...] = ()
    lease: Object | None = None
    permissions: Mapping[str, bool] = field(default_factory=dict)
    images: Mapping[str, ImageAnswer] = field(default_factory=dict)
    ran_images: Mapping[str, ImageAnswer] = field(default_factory=dict)
    pull_notes: tuple[str, ...] = ()
    pod_health: tuple[Sample, ...] = ()
    baseline: tuple[Sample, ...] = ()
    named: Mapping[Reference, Named] = field(default_factory=dict)
    owners: tuple[Owner, ...] = ()
    dry_run: DryRun | None = None
    pod_dry_run: DryRun | None = None
    rehearsal: Rehearsal | None = None
    nodes: tuple[Object, ...] = ()
    neighbours: tuple[Object, ...] = ()
    quotas: tuple[Object, ...] = ()
    autoscalers: tuple[Object, ...] = ()
    budgets: tuple[Object, ...] = ()
    gone_classes: frozenset[str] = frozenset()
    limit_ranges: tuple[Object, ...] = ()
    unreadable: Mapping[Need, str] = field(default_factory=dict)

    @cached_property
    def ledger(self) -> Ledger | UnreadableLedger:
        """The ledger that the Lease carries."""
        return form.read(self.lease)

    @property
    def known(self) -> Known:
        """What the ledger's memory says of templates; nothing where it cannot be read."""
        ledger = self.ledger
        return memory.known(ledger, self.now) if isinstance(ledger, Ledger) else NOTHING

    @property
    def kind(self) -> Kind:
        """What the workload is."""
        return self.target.kind

    @cached_property
    def pace(self) -> Pace:
        """How its rollouts replace Pods."""
        return self.kind.pace(self.workload)

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """The history, newest first."""
        return self.kind.revisions(self.workload, self.stored, self.pods)


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What a check looks at: the snapshot, the policy, and the choice they led to."""

    snapshot: Snapshot
    policy: Policy
    revisions: tuple[Revision, ...]
    choice: Choice

    @property
    def destination(self) -> Revision:
        """The revision to go to."""
        return self.choice.revision

    @property
    def origin(self) -> Revision:
        """The revision in the history: the destination, before its images were pinned."""
        return self.choice.unpinned or self.choice.revision

    @property
    def endpoints(self) -> tuple[Endpoint | NotAsked, ...]:
        """Where its Pods are asked: by `--health`, the annotation, or their own probe."""
        return asked_of(self.destination.template, self.snapshot.workload, self.policy.paths)

    @property
    def replicas(self) -> int:
        """How many Pods the workload asks for."""
        return self.snapshot.pace.replicas
