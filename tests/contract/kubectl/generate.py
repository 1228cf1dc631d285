"""A seed and a number -> a set of kubeconfig files with some features in it."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

from tests.contract.kubectl import features, pki
from tests.contract.kubectl.sets import NAMES, File, Set
from tests.contract.kubectl.writing import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

ENOUGH = 20
"""In how many sets each feature is at least."""
FOLDERS = ("", "one", "two/deep", "thr ee")
_LONG = re.compile(r"[A-Za-z0-9+/=]{80,}")
SINGULAR = {"clusters": "cluster", "users": "user", "contexts": "context"}


def generate(seed: int, count: int) -> list[Set]:
    """Return the sets: what breaks one is in ENOUGH of them, the rest in turn and by chance."""
    fatal = sorted(features.FATAL)
    benign = sorted(set(features.FEATURES) - features.FATAL)
    sets = []
    for number in range(count):
        rng = random.Random(f"{seed}-{number}")  # noqa: S311 (not a secret)
        wanted = {benign[number % len(benign)], *rng.choices(benign, k=rng.randint(1, 4))}
        if number < ENOUGH * len(fatal):
            wanted.add(fatal[number % len(fatal)])
        sets.append(one(number, rng, sorted(wanted)))
    return sets


def one(number: int, rng: random.Random, wanted: Sequence[str]) -> Set:
    """Return one set with (about) the wanted features."""
    kinds = ("cluster", "user", "context")
    made = Set(number=number, rng=rng, names={kind: rng.choice(NAMES) for kind in kinds})
    made.cluster = {
        "server": "https://127.0.0.1:@TLS@",
        "certificate-authority-data": pki.inline("ca.pem"),
    }
    made.user = {"token": "usual"}
    made.context = {"cluster": made.names["cluster"], "user": made.names["user"]}
    made.current = made.names["context"]
    made.files = [File(path=_join(rng.choice(FOLDERS), "config"), style=rng.choice(STYLES))]
    made.listed = [f"@FOLDER@/{made.files[0].path}"]
    before = [name for name in wanted if name in features.EARLY]
    for name in before + [name for name in wanted if name not in features.EARLY]:
        if features.FEATURES[name](made) is not False:
            made.features.add(name)
    _place(made)
    for edit in made.edits:
        edit(made)
    return made


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _place(made: Set) -> None:
    """Put the main entries and some others into the files that can hold them."""
    rng = made.rng
    usable = [file for file in made.files if file.raw is None and not file.is_missing]
    if not usable:
        return
    for plural, kind in SINGULAR.items():
        fields = getattr(made, kind)
        if kind not in made.omit:
            rng.choice(usable).entries[plural].append({"name": made.names[kind], kind: fields})
        for file in usable:
            if rng.random() < 0.3:
                file.entries[plural].insert(0, {"name": f"other-{kind}", kind: _other(kind)})
    if made.current is not None:
        rng.choice(usable).more["current-context"] = made.current


def _other(kind: str) -> dict[str, Any]:
    """Return an entry that nobody asks for; what is wrong with it is nobody's matter."""
    others: dict[str, dict[str, Any]] = {
        "cluster": {"server": "nonsense://", "certificate-authority": "/no/such/file"},
        "user": {"username": "u", "token": "t", "exec": {"command": ""}},
        "context": {"cluster": "no such", "user": "no such", "namespace": "Not A Name"},
    }
    return others[kind]


def described(made: Set) -> str:
    """Return the set for a failure message."""
    files = "\n".join(f"  {file.path}: {_LONG.sub('…', file.text())}" for file in made.files)
    settings = json.dumps([made.flags, made.environ, made.listed, made.explicit])
    return f"set {made.number}, {sorted(made.features)}\n  {settings}\n{files}"
