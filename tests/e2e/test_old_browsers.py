"""The pages ask for nothing that Safari 15 and Firefox 102 do not know: no syntax, no object, and no style that matters. What newer
browsers have besides is used where it is there."""
import json
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSERS = ["safari 15", "ios_saf 15.0-15.1", "firefox 102"]
# Used where they are there: each with the words that look for it.
OPTIONAL = {"BroadcastChannel": r'"BroadcastChannel" in |typeof BroadcastChannel|globalThis\.BroadcastChannel|window\.BroadcastChannel'}
# Whoever does not know them shows a ring of its own around what has the focus, and scrolls as ever.
OPTIONAL_STYLES = ["css-focus-visible", "css-overflow"]


@pytest.fixture(scope="module")
def tools():
    done = subprocess.run([ROOT / "tests/npm/install", "pages"], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return pathlib.Path(done.stdout.strip())


def complaints_of_eslint(tools, folder, *what):
    rules = folder / "eslint.json"
    rules.write_text(json.dumps({
        "root": True, "env": {"browser": True}, "parserOptions": {"ecmaVersion": 2022, "sourceType": "module"},
        "extends": ["plugin:es-x/restrict-to-es2021", "plugin:compat/recommended"],
        "settings": {"browsers": BROWSERS, "polyfills": list(OPTIONAL), "es-x": {"aggressive": True}},
        # Firefox 102 has it, Safari got it in 16.4.
        "rules": {"es-x/no-regexp-lookbehind-assertions": "error"},
    }))
    done = subprocess.run([tools / "node_modules/.bin/eslint", "--no-eslintrc", "-c", rules, "--resolve-plugins-relative-to", tools, "-f", "json", *what],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [f"{pathlib.Path(file['filePath']).name}:{each['line']}: {each['message']}" for file in json.loads(done.stdout) for each in file["messages"]]


def test_no_script_is_too_new(tools, tmp_path):
    files = sorted((ROOT / "www").rglob("*.js"))
    assert len(files) > 15
    assert complaints_of_eslint(tools, tmp_path, *files) == []
    for name, check in OPTIONAL.items():
        for file in files:
            assert name not in file.read_text() or re.search(check, file.read_text()), f"{file.name} uses {name} where it may be missing"


@pytest.mark.parametrize("new", ["/(?<=a)b/.test('ab')", "structuredClone({})", "class A { static { } }", "[1].at(0)", "Object.hasOwn({}, 'a')"])
def test_what_is_too_new_is_found(tools, tmp_path, new):
    file = tmp_path / "new.js"
    file.write_text(f"{new};\n")
    assert complaints_of_eslint(tools, tmp_path, file)


def test_no_style_that_matters_is_too_new(tools, tmp_path):
    rules = tmp_path / "stylelint.json"
    rule = [True, {"browsers": BROWSERS, "ignore": OPTIONAL_STYLES}]
    rules.write_text(json.dumps({"plugins": ["stylelint-no-unsupported-browser-features"], "rules": {"plugin/no-unsupported-browser-features": rule}}))
    done = subprocess.run([tools / "node_modules/.bin/stylelint", "--config", rules, "--config-basedir", tools, "-f", "json", *(ROOT / "www/css").glob("*.css")],
                          capture_output=True, text=True, timeout=300, check=False)
    told = json.loads(done.stdout or done.stderr)
    assert [(pathlib.Path(file["source"]).name, each["line"], each["text"]) for file in told for each in file["warnings"]] == []
