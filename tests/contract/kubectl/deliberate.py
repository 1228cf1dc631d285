"""Where backout means to differ from kubectl: id -> when. Why: docs/differences-from-kubectl.md.

Each of GENERATED must occur in the generated sets; DIRECTED name the test that shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.kubectl.verdict import Outcome

GENERATED: dict[str, Callable[[Outcome], bool]] = {
    "basic-auth": lambda it: "basic authentication" in it.refusal,
    "auth-provider": lambda it: "auth-provider (" in it.refusal,
    "no-credentials": lambda it: it.kubectl_asked_for_a_password and not it.backout_sent.error,
    "default-server": lambda it: (
        it.kubectl_went_to_default
        and any(
            words in it.refusal
            for words in (
                "no context is chosen",
                "no kubeconfig",
                "server is missing",
                "cluster is m",
            )
        )
    ),
    "missing-reference": lambda it: "does not exist in" in it.refusal,
    "extra-without-value": lambda it: "--as-user-extra takes" in it.refusal,
    "credentials-in-server": lambda it: "has a user or a password" in it.refusal,
}

DIRECTED = {
    "size-cap": "test_kubectl_reads_a_file_of_any_size",
    "depth-cap": "test_kubectl_reads_what_is_nested_deeply",
    "working-directory": "test_without_a_home_kubectl_reads_the_working_directory",
    "old-file": "test_kubectl_takes_over_its_oldest_file",
    "master-variable": "test_kubectl_follows_kubernetes_master",
    "broken-kuberc": "test_a_broken_kuberc_stops_the_plugin_of_backout_only",
    "exec-time-out": "test_a_slow_plugin_is_named_and_then_given_up_with_its_children",
    "exec-stderr": "test_a_plugin_that_fails_is_an_error_in_words",
    "asked-again-after-401": "test_after_a_401_a_read_is_asked_once_more_with_a_new_identity",
    "unusable-proxy-variable": "test_a_proxy_that_is_no_address_is_refused",
    "request-timeout-in-a-pod": "test_with_a_request_timeout_kubectl_forgets_its_pod",
}
