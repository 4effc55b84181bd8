"""What a bug report needs to say; imports none of what it names."""

from __future__ import annotations

import platform
from importlib import metadata

from chatbot import __version__


def versions() -> str:
    """One line with what matters for a bug report; imports none of it."""
    parts = [f"chatbot {__version__}", f"Python {platform.python_version()}", platform.platform(terse=True)]
    for name in ("torch", "transformers", "sentence-transformers", "spacy", "prompt_toolkit", "sqlite-utils"):
        try:
            parts.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{name} missing")
    return ", ".join(parts)
