"""All that was read before a decision, and `unreadable`: what RBAC or a fault hid."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field

from backout.core.discreet import Discreet, Hidden
from backout.core.heal.healing import healing
from backout.core.health.endpoints import asked_of
from backout.core.history.choice import NOTHING, Known
from backout.core.ledger import again, form, memory
from backout.core.ledger.records import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backout.core.heal.healing import Healing
    from backout.core.health.endpoints import Endpoint, NotAsked
    from backout.core.health.judgement import Sample
    from backout.core.history.choice import Choice
    from backout.core.images.names import ImageAnswer
    from backout.core.kinds.kind import Kind, Pace
    from backout.core.kinds.target import Target
    from backout.core.ledger.records import UnreadableLedger
    from backout.core.model import Object, Revision
    from backout.core.owners.owners import Owner
    from backout.core.preflight.admission import DryRun
    from backout.core.preflight.rehearsal import Rehearsal
    from backout.core.preflight.request import Request
    from backout.core.references.references import Named, Reference

NOT_ASKED = "many workloads are looked at, none is to be undone now"
"""Why nobody reads what only an undo asks for."""


class Need(StrEnum):
    """What a check reads. Where one is in `unreadable`, checks that need it are skipped."""

    PODS = "pods"
    SERVICES = "services"
    LEDGER = "ledger"
    PERMISSIONS = "permissions"
    IMAGES = "images"
    IMAGE_INDEXES = "what is in an image's index"
    POD_HEALTH = "pod health"
    CONFIG_MAPS = "ConfigMaps"
    SECRETS = "Secrets"
    KEYS = "keys of ConfigMaps and Secrets"
    CLAIMS = "PersistentVolumeClaims"
    SERVICE_ACCOUNTS = "ServiceAccounts"
    CLASSES = "PriorityClasses and RuntimeClasses"
    NODES = "nodes"
    NODE_PODS = "Pods of other namespaces on the nodes"
    QUOTAS = "ResourceQuotas"
    AUTOSCALERS = "HorizontalPodAutoscalers"
    BUDGETS = "PodDisruptionBudgets"
    STORAGE_CLASSES = "StorageClasses"
    LIMIT_RANGES = "LimitRanges"
    ROLLOUTS = "Argo Rollouts and Flagger Canaries"
    NEIGHBOURS = "the namespace's Deployments"
    DRY_RUN = "dry run of the patch"
    INTENT = "who would undo it, and why"
    POD_DRY_RUN = "dry run of a Pod"
    BASELINE = "health before"


class Snapshot(Discreet, frozen=True, kw_only=True, dict=True):
    """Objects as the API server gave them, and answers of others, all read before acting.

    `permissions` maps `verb resource` to what SelfSubjectAccessReview said; `images` maps an image
    of the target to its registry's answer; `pod_health` has one sample for each Pod of the target
    that was asked (core/health/asking.py); `baseline` is what the service said before. `now` is the
    server's time. `is_observed` tells whether the controller has seen the newest spec. `named` is
    what the target and the current revision name; `dry_run` and `pod_dry_run` are None where they
    were not made, `rehearsal` where none was asked.
    `stored` is its history, `neighbours` are the workloads of its kind in its namespace. `unasked`
    maps why something of the service's health could not be asked after the rollback to what to do.
    `gone_classes` are StorageClasses that its claims need and that do not exist. `ran_images`
    maps `image@digest` of what ran to the registry's answer, where the tag says something else;
    `pull_notes` say which pull Secrets could not be used. `other_pods` are the
    namespace's Pods of others, where they may hold room that a new Pod needs. Objects stand in no
    `repr`: asyncio makes one of what a program returns, of thousands of Pods in seconds.
    """

    target: Target
    workload: Hidden[Object]
    stored: Hidden[tuple[Object, ...]]
    pods: Hidden[tuple[Object, ...]]
    now: datetime
    is_observed: bool
    services: Hidden[tuple[Object, ...]] = ()
    lease: Hidden[Object | None] = None
    permissions: Mapping[str, bool] = field(default_factory=dict)
    images: Mapping[str, ImageAnswer] = field(default_factory=dict)
    ran_images: Mapping[str, ImageAnswer] = field(default_factory=dict)
    pull_notes: tuple[str, ...] = ()
    pod_health: tuple[Sample, ...] = ()
    baseline: tuple[Sample, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[Reference, Named] = field(default_factory=dict)
    owners: tuple[Owner, ...] = ()
    dry_run: DryRun | None = None
    pod_dry_run: DryRun | None = None
    rehearsal: Rehearsal | None = None
    nodes: Hidden[tuple[Object, ...]] = ()
    neighbours: Hidden[tuple[Object, ...]] = ()
    other_pods: Hidden[tuple[Object, ...]] = ()
    quotas: Hidden[tuple[Object, ...]] = ()
    autoscalers: Hidden[tuple[Object, ...]] = ()
    budgets: Hidden[tuple[Object, ...]] = ()
    gone_classes: frozenset[str] = frozenset()
    limit_ranges: Hidden[tuple[Object, ...]] = ()
    unreadable: Mapping[Need, str] = field(default_factory=dict)

    @cached_property
    def ledger(self) -> Ledger | UnreadableLedger:
        """The ledger that the Lease carries, by the hashes that the templates have now."""
        found = form.read(self.lease)
        return again.of_history(found, self.revisions) if isinstance(found, Ledger) else found

    @cached_property
    def known(self) -> Known:
        """What the ledger's memory says of templates; nothing where it cannot be read."""
        ledger = self.ledger
        if not isinstance(ledger, Ledger):
            return NOTHING
        return memory.known(ledger, self.now, self.revisions)

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


class Preflight(Struct, frozen=True, kw_only=True, dict=True):
    """What a check looks at: the snapshot, the request, and the choice they led to."""

    snapshot: Snapshot
    policy: Request
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

    @cached_property
    def healing(self) -> Healing:
        """What is done about the next deploy."""
        return healing(self.snapshot.workload, self.destination, wanted=self.policy.heal)

    @property
    def endpoints(self) -> tuple[Endpoint | NotAsked, ...]:
        """Where its Pods are asked: by `--health`, the annotation, or their own probe."""
        return asked_of(self.destination.template, self.snapshot.workload, self.policy.paths)

    @property
    def replicas(self) -> int:
        """How many Pods the workload asks for."""
        return self.snapshot.pace.replicas
