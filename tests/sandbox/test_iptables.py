from __future__ import annotations

from sandbox.machine import iptables

SAVED = """\
*filter
:INPUT ACCEPT [0:0]
:DOCKER-USER - [0:0]
:KUBE-FORWARD - [0:0]
-A INPUT -m comment --comment "KUBE-like" -j DOCKER-USER
-A INPUT -m comment --comment "kubernetes rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
COMMIT
"""


def test_only_our_chains_and_the_jumps_to_them_are_removed() -> None:
    assert iptables.removal(SAVED) == (
        "*filter\n"
        ":KUBE-FORWARD - [0:0]\n"
        '-D INPUT -m comment --comment "kubernetes rules" -j KUBE-FORWARD\n'
        "-X KUBE-FORWARD\n"
        "COMMIT\n"
    )


def test_rules_of_others_alone_need_no_removal() -> None:
    assert iptables.removal(SAVED.replace("KUBE-", "OTHER-")) == ""
