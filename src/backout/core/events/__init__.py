"""Every kind of event; the journal's schema is made of them."""

from __future__ import annotations

from backout.core.events import acting, planning, told, watching

EVENTS = (
    planning.Began,
    planning.Located,
    planning.TargetChosen,
    planning.ImagesPinned,
    planning.PassedOver,
    planning.KubectlDiffers,
    planning.AskedBefore,
    planning.FindingMade,
    planning.NotChecked,
    planning.HealAnnounced,
    planning.Checked,
    planning.WorkloadChecked,
    planning.AllChecked,
    planning.Blocked,
    acting.Recovered,
    acting.GoingOn,
    acting.Resumed,
    acting.LockAwaited,
    planning.HandedOver,
    planning.Rehearsing,
    acting.Triggered,
    acting.PatchLanded,
    acting.FieldsReturned,
    acting.PodReplaced,
    watching.Moved,
    watching.Counted,
    watching.NotReady,
    watching.LogRead,
    acting.Recorded,
    watching.RolledOut,
    watching.HealthAnswered,
    watching.HealthRepeated,
    watching.Measured,
    planning.AlertsRead,
    planning.Compared,
    watching.NextStep,
    told.Warned,
    told.Noted,
    told.RunEnded,
)
"""In the order of docs/journal.md."""
