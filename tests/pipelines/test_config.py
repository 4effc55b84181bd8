"""Configs, right and wrong. What a wrong one prints is compared word for word: the message is the feature."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.settings import MemorySettings
from pipelines import config as configs
from pipelines.errors import ConfigError, UsageError

SECTIONS: dict[str, type] = {"memory": MemorySettings}

GOOD = """\
[persona]
name = "Ada"

[stages.safety]
use = "rules"

[stages.intent]
use = "rules"

[[stages.candidates]]
use = "skills"

[[stages.candidates]]
use = "template"

[stages.reply]
use = "first"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, **kwargs: object) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        configs.load(path, sections=SECTIONS, environ={}, **kwargs)  # type: ignore[arg-type]
    assert "Traceback" not in str(caught.value)
    return [line.replace(str(folder) + "/", "") for line in caught.value.problems]


def test_only_what_safety_needs_may_run_before_it(tmp_path: Path) -> None:
    encoder = GOOD.replace('use = "rules"\n', 'use = "encoder"\n', 1)
    first = '[stages.embedding]\nuse = "minilm"\n\n'
    configs.load(write(tmp_path, encoder.replace("[stages.safety]", first + "[stages.safety]")), environ={})
    assert problems(tmp_path, encoder) == [
        'my.toml:4: [stages.safety] use = "encoder" needs the slot embedding, which no stage above it fills. '
        "Put a [stages.embedding] before it"
    ]
    [early] = problems(tmp_path, GOOD.replace("[stages.safety]", first + "[stages.safety]"))
    assert "safety must come before embedding" in early


def test_a_good_config_builds(tmp_path: Path) -> None:
    config = configs.load(write(tmp_path, GOOD), sections=SECTIONS, environ={})
    assert config.persona.name == "Ada"
    assert config.sections["memory"].history == MemorySettings().history
    labels = [step.label for step in config.build().steps]
    assert labels == ["safety.rules", "intent.rules", "candidates.skills", "candidates.template", "reply.first"]


def test_overrides_beat_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    environ = {"CHATBOT__PERSONA__NAME": "Env", "CHATBOT__MEMORY__HISTORY": "4"}
    config = configs.load(path, ["persona.name=Set"], SECTIONS, environ)
    assert config.persona.name == "Set"
    assert config.sections["memory"].history == 4
    assert config.origin["persona.name"] == "--set persona.name=Set"
    shown = "\n".join(configs.describe(config))
    assert "environment CHATBOT__MEMORY__HISTORY" in shown
    assert "my.toml:5" in shown


def test_a_stage_among_several_is_set_by_its_name(tmp_path: Path) -> None:
    text = GOOD.replace('use = "template"', 'use = "transformers"')
    config = configs.load(write(tmp_path, text), ["stages.candidates.transformers.count=2"], SECTIONS, {})
    assert config.stages[3].settings == {"count": 2}


WRONG = {
    "unknown slot": (
        GOOD.replace("[stages.intent]", "[stages.intend]"),
        'my.toml:7: unknown slot "intend". Did you mean "intent"? Allowed: safety, embedding, intent, entities, '
        "emotion, facts, memories, candidates, reply",
    ),
    "unknown stage": (
        GOOD.replace('"first"', '"frist"'),
        'my.toml:17: [stages.reply] unknown stage "frist". Did you mean "first"? Allowed: first, ranker',
    ),
    "no use": (
        GOOD.replace('[stages.intent]\nuse = "rules"', "[stages.intent]"),
        "my.toml:7: [stages.intent] does not say which stage to use. Write use = one of: encoder, rules",
    ),
    "unknown setting": (
        GOOD.replace('use = "template"', 'use = "transformers"\ntemprature = 0.5'),
        'my.toml:15: [stages.candidates] unknown setting "temprature". Did you mean "temperature"? Allowed: weights, '
        "adapter, count, together, max_tokens, temperature, top_p, repetition, int8, seed, fallback",
    ),
    "wrong type": (
        GOOD.replace('use = "template"', 'use = "transformers"\ncount = "four"'),
        'my.toml:15: [stages.candidates] count = "four": Input should be a valid integer',
    ),
    "out of range": (
        GOOD.replace('use = "template"', 'use = "transformers"\ntop_p = 1.5'),
        "my.toml:15: [stages.candidates] top_p = 1.5: Input should be less than or equal to 1",
    ),
    "unknown table": (
        GOOD + "\n[telegrm]\n",
        f'my.toml:19: unknown table or key "telegrm". Allowed: persona, stages, {configs.NO_SAFETY}, memory',
    ),
    "unknown key of the persona": (
        GOOD.replace('name = "Ada"', 'nam = "Ada"'),
        'my.toml:2: [persona] unknown setting "nam". Did you mean "name"? Allowed: name, traits, likes',
    ),
    "unknown key of memory": (
        GOOD + "\n[memory]\nhistroy = 3\n",
        'my.toml:20: [memory] unknown setting "histroy". Did you mean "history"? Allowed: '
        "folder, history, turn_days, summaries",
    ),
    "no safety": (
        GOOD.replace('[stages.safety]\nuse = "rules"\n', ""),
        f"my.toml: there is no [stages.safety]. To talk without it, set {configs.NO_SAFETY} = true",
    ),
    "safety too late": (
        GOOD.replace('[stages.safety]\nuse = "rules"\n', "") + '\n[stages.safety]\nuse = "rules"\n',
        "my.toml:17: safety must come before intent, candidates, reply; only what it needs itself may run before it",
    ),
    "no reply": (
        GOOD.replace('[stages.reply]\nuse = "first"\n', ""),
        "my.toml: there is no [stages.reply], so there could be no reply",
    ),
    "a need unmet": (
        GOOD.replace('[stages.intent]\nuse = "rules"', '[stages.intent]\nuse = "encoder"'),
        'my.toml:7: [stages.intent] use = "encoder" needs the slot embedding, which no stage above it fills. '
        "Put a [stages.embedding] before it",
    ),
    "several where one is due": (
        GOOD.replace("[stages.intent]", "[[stages.intent]]"),
        "my.toml:7: only candidates takes several stages; write [stages.intent] once",
    ),
    "not TOML": (GOOD.replace('"Ada"', '"Ada'), "my.toml:2: this is not TOML: Illegal character '\\n'"),
    "no stages": (
        '[persona]\nname = "Ada"\n',
        "my.toml: there is no [stages.X] table; a companion needs at least safety, candidates, reply",
    ),
    "a stage that is no table": (
        GOOD.replace('[stages.intent]\nuse = "rules"\n', "").replace("[persona]", 'stages.intent = "rules"\n[persona]'),
        "my.toml:1: [stages.intent] must be a table with use = one of encoder, rules",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_config_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    assert message in problems(tmp_path, text)


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        GOOD.replace('name = "Ada"', "name = 3").replace('"first"', '"last"').replace("[stages.intent]", "[stages.i]")
    )
    found = problems(tmp_path, text)
    assert [line.split(":")[1] for line in found] == ["2", "7", "17"]
    assert "3 problems. Nothing was loaded." in str(ConfigError(found))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        configs.load(tmp_path / "none.toml", environ={})


def test_missing_weights_are_told_apart_from_missing_stages(tmp_path: Path) -> None:
    text = GOOD.replace('use = "template"', 'use = "transformers"\nweights = "somewhere"')
    found = problems(tmp_path, text, check_weights=lambda name: f"no {name} here" if name == "somewhere" else None)
    assert found == ['my.toml:14: [stages.candidates] use = "transformers": no somewhere here']


def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import candidates

    monkeypatch.setattr(candidates.Transformers, "packages", {"nowhere_to_be_found": "chatbot[more]"}, raising=False)
    found = problems(tmp_path, GOOD.replace('use = "template"', 'use = "transformers"'))
    assert found == [
        'my.toml:14: [stages.candidates] use = "transformers" needs a package that is not installed: '
        "nowhere_to_be_found. Install: pip install 'chatbot[more]'"
    ]


@pytest.mark.parametrize(
    "item", ["persona.name", "=x", "stages.candidates.nobody.count=3", "stages.candidates.count=3"]
)
def test_an_override_that_means_nothing(tmp_path: Path, item: str) -> None:
    with pytest.raises(UsageError):
        configs.load(write(tmp_path, GOOD), [item], SECTIONS, {})


@given(st.text(max_size=300))
def test_any_text_is_a_config_or_a_list_of_problems(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError) as caught:
        configs.load(path, sections=SECTIONS, environ={})
    assert caught.value.problems


@given(
    st.dictionaries(
        st.sampled_from(["persona", "stages", "memory", "x"]),
        st.dictionaries(st.text("abcdeur", min_size=1, max_size=6), st.integers() | st.booleans() | st.just("rules")),
        max_size=4,
    )
)
def test_any_tables_are_a_list_of_problems(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, dict[str, object]]
) -> None:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        for key, value in table.items():
            lines.append(f'"{key}" = {str(value).lower() if not isinstance(value, str) else repr(value)}')
    path = tmp_path_factory.mktemp("any") / "any.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError):
        configs.load(path, sections=SECTIONS, environ={})


def test_the_names_of_this_project_import_nothing_heavy() -> None:
    script = (
        "import sys; from pipelines import config, stages; print(*stages.stage_names()); "
        "print('heavy:', sorted({'models', 'torch', 'transformers', 'spacy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    names, heavy = done.stdout.splitlines()
    assert {"safety.rules", "emotion.lexicon", "candidates.transformers"} <= set(names.split())
    assert heavy == "heavy: []"
