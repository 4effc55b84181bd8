"""The card that is written beside trained weights: TOML with the same fields as the cards in models/cards."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.hub import sha256


def write(
    path: Path, about: Mapping[str, Any], run: Mapping[str, Any], scores: Mapping[str, float], files: Sequence[Path]
) -> None:
    """about: title, task, licence, training_data, used_by, command; run: settings; files: they lie beside the card."""
    lines = [f"{key} = {_value(found)}" for key, found in about.items()]
    lines += ["", "[run]", *(f"{key} = {_value(found)}" for key, found in run.items())]
    lines += ["", "[scores]", *(f"{key} = {round(found, 4)}" for key, found in scores.items())]
    for file in files:
        lines += ["", "[[files]]", f"path = {_value(file.name)}", f"sha256 = {_value(sha256(file))}"]
        lines += [f"bytes = {file.stat().st_size}"]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)
    path.write_text(text, encoding="utf-8")


def licences(paths: Sequence[Path]) -> str:
    """What SOURCE.txt ("licence: ...") or the first line of LICENSE beside the data says."""
    found = []
    for path in paths:
        folder = path if path.is_dir() else path.parent
        files = [f for f in (folder / "SOURCE.txt", *sorted(folder.glob("*/SOURCE.txt"))) if f.is_file()]
        lines = [line for f in files for line in f.read_text(encoding="utf-8").splitlines()]
        found += [line.partition(":")[2].strip() for line in lines if line.startswith("licence:")]
        if not files and (folder / "LICENSE").is_file():
            found.append((folder / "LICENSE").read_text(encoding="utf-8").strip().splitlines()[0])
    return "; ".join(dict.fromkeys(found)) or "not stated: name it with --licence"


def _value(x: Any) -> str:
    return json.dumps(x, ensure_ascii=False)
