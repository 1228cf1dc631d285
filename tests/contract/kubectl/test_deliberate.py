from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backout.core.errors import ConfigError
from backout.kube.config.kubeconfig import load
from tests.contract.kubectl import asked, pki
from tests.contract.kubectl.deliberate import DIRECTED, GENERATED
from tests.contract.kubectl.recorder import Recorder
from tests.contract.kubectl.sets import Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backout.kube.connection import Connection

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "differences-from-kubectl.md"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder(pki.server_context) as running:
        yield running


def config(recorder: Recorder, **cluster: str) -> dict[str, Any]:
    ca = pki.inline("ca.pem")
    server = {"server": f"https://127.0.0.1:{recorder.tls}", "certificate-authority-data": ca}
    return {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {**server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }


def written(folder: Path, path: str, content: str, **environ: str) -> Written:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content)
    settings = {"HOME": str(folder / "home"), "KUBECONFIG": str(folder / path), **environ}
    return Written(folder=folder, environ=settings, flags={})


def loaded(made: Written) -> Connection:
    environ = made.environ
    return load(path=None, context=None, environ=environ, home=Path(environ["HOME"]))


def test_every_difference_is_on_the_page_with_a_test_that_exists() -> None:
    described = re.findall(r"^### `(.+)`$", PAGE.read_text(), re.MULTILINE)
    tests = "\n".join(path.read_text() for path in (ROOT / "tests" / "contract").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text()))

    assert sorted(described) == sorted([*GENERATED, *DIRECTED])
    assert named >= set(DIRECTED.values())
    assert [name for name in named if f"def {name}(" not in tests] == []


@pytest.mark.parametrize("length", [17 * 1024 * 1024])
def test_kubectl_reads_a_file_of_any_size(tmp_path: Path, recorder: Recorder, length: int) -> None:
    made = written(tmp_path, "config", json.dumps(config(recorder)) + "\n#" + "x" * length)

    assert not asked.kubectl_asks(made, recorder).error
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        loaded(made)


def test_kubectl_reads_what_is_nested_deeply(tmp_path: Path, recorder: Recorder) -> None:
    deep = {**config(recorder), "unknown": json.loads("[" * 200 + "]" * 200)}
    made = written(tmp_path, "config", json.dumps(deep))

    assert not asked.kubectl_asks(made, recorder).error
    with pytest.raises(ConfigError, match="nested too deeply"):
        loaded(made)


def test_without_a_home_kubectl_reads_the_working_directory(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, ".kube/config", json.dumps(config(recorder)), KUBECONFIG="", HOME="")
    monkeypatch.chdir(tmp_path)

    assert not asked.kubectl_asks(made, recorder).error
    with pytest.raises(ConfigError, match="no kubeconfig"):
        load(path=None, context=None, environ=made.environ, home=tmp_path / "home")


def test_kubectl_takes_over_its_oldest_file(tmp_path: Path, recorder: Recorder) -> None:
    content = json.dumps(config(recorder))
    made = written(tmp_path, "home/.kube/.kubeconfig", content, KUBECONFIG="")

    with pytest.raises(ConfigError, match="no kubeconfig"):
        loaded(made)
    assert not asked.kubectl_asks(made, recorder).error
    assert (tmp_path / "home" / ".kube" / "config").exists()


def test_kubectl_follows_kubernetes_master(tmp_path: Path, recorder: Recorder) -> None:
    server = f"http://127.0.0.1:{recorder.plain}"
    made = written(tmp_path, "config", "{}", KUBERNETES_MASTER=server)

    assert not asked.kubectl_asks(made, recorder).error
    with pytest.raises(ConfigError, match="no context is chosen"):
        loaded(made)
