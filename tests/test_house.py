"""The shape of the house: which package may import which, and what must stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "transformers", "sentence_transformers", "spacy", "telegram"}

ALLOWED = {
    "pipelines": {"pipelines"},
    "models": {"models", "pipelines"},
    "chatbot": {"chatbot", "pipelines", "models.hub", "models.prompt", "models.training"},
}
"""chatbot knows of models only where weights come from (`chatbot models`), how a fact is worded, and training."""


def imports(path: Path, top_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_go_one_way(package: str) -> None:
    wrong = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for name in sorted(imports(path)):
            if name.split(".")[0] in ALLOWED and name not in ALLOWED:
                allowed = any(name == a or name.startswith(a + ".") for a in ALLOWED[package])
                if not allowed:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("package", ["pipelines", "models"])
def test_heavy_packages_are_imported_only_where_they_are_needed(package: str) -> None:
    for path in sorted((ROOT / package).glob("*.py")):
        tops = {name.split(".")[0] for name in imports(path, top_only=True)}
        assert not tops & HEAVY, f"{path.relative_to(ROOT)} imports {tops & HEAVY} at its top"


def test_nothing_unpickles() -> None:
    for package in ALLOWED:
        for path in (ROOT / package).rglob("*.py"):
            names = {name.split(".")[0] for name in imports(path)}
            assert not names & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}, path
            text = path.read_text(encoding="utf-8")
            assert "torch.load(" not in text, path
            assert "allow_pickle=True" not in text, path


@pytest.mark.parametrize("arguments", [["--help"], ["repl", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    light = sorted(HEAVY | {"numpy", "pydantic", "sqlite_utils"})
    code = (
        f"import sys\nfrom chatbot.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({light!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_tiny_chain_imports_no_framework(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom chatbot.assemble import make_companion, read_config\n"
        f"c = make_companion(read_config('tiny', ['memory.folder={tmp_path}']))\n"
        "[t] = c.answer([('a', 'hi im lena')])\nassert t.reply and not t.failed, t.failed\n"
        f"print(sorted(set({sorted(HEAVY)!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
