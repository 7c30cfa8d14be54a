"""What the API says to people: the English sentences, and the tables by which it says them in other languages (etc/texts)."""
import functools
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = ROOT / "etc/texts"
LANGUAGES = sorted([*(file.stem for file in TABLES.glob("*.json")), "en"])


def read_table(file):
    """A table of sentences; AssertionError where a sentence stands in it twice, of which JSON keeps the last."""
    def unique(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"{file}: {sorted({name for name in names if names.count(name) > 1})} twice"
        return dict(pairs)
    return json.loads(file.read_text(), object_pairs_hook=unique)


def placeholders(text):
    return sorted(re.findall(r"\{(\w+)\}", text))


@functools.cache
def _pattern(language):
    sentences = read_table(TABLES / "de.json") if language == "en" else read_table(TABLES / f"{language}.json").values()
    return re.compile("|".join(re.sub(r"\\\{\w+\\\}", ".+", re.escape(sentence)) for sentence in sentences))


def is_known(text, language="en"):
    return bool(_pattern(language).fullmatch(text))


def said(body):
    """Every sentence for people in an answer of the API."""
    if not isinstance(body, dict):
        return []
    members = ("title", "detail") if "code" in body and "title" in body else ("detail",)
    return [*(body[name] for name in members if isinstance(body.get(name), str)),
            *(error["message"] for error in body.get("errors") or [] if isinstance(error, dict) and "message" in error)]
