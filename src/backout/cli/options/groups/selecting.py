"""Which workloads are found, where none is named."""

from __future__ import annotations

import click

from backout.cli.options.groups.options import Options


class SelectOptions(Options, frozen=True, kw_only=True):
    """Which workloads are found: all of the namespace, of the cluster, those with these labels."""

    every: bool
    all_namespaces: bool
    selector: str

    declared = (
        click.option("--all", "every", is_flag=True, help="Check every workload of the namespace."),
        click.option(
            "-A", "--all-namespaces", is_flag=True, help="Check every workload of the cluster."
        ),
        click.option(
            "-l",
            "--selector",
            default="",
            metavar="LABELS",
            help="Check the workloads that have these labels: app=web.",
        ),
    )
