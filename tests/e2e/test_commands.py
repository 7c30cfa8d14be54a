"""The command line as a whole: help wherever it is asked for, lists as JSON, the completion of the shell."""
import json
import re
import subprocess

import pytest

from support.otpgate import BINARY, environment


def otpgate(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, env=environment(), timeout=60, check=False)


NAMES = re.findall(r"^  ([a-z-]+) ", otpgate("--help").stdout, re.MULTILINE)


def test_help_and_version_are_understood_in_every_usual_way():
    overview = otpgate("help")
    assert (overview.returncode, overview.stderr) == (0, "") and len(NAMES) > 12
    for arguments in (["--help"], ["-h"]):
        assert (otpgate(*arguments).returncode, otpgate(*arguments).stdout) == (0, overview.stdout)
    version = otpgate("version")
    assert version.returncode == 0 and version.stdout.startswith("otpgate ")
    for arguments in (["--version"], ["-V"]):
        assert otpgate(*arguments).stdout == version.stdout
    nothing = otpgate()
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (2, "", overview.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_explains_itself(name):
    told = otpgate("help", name)
    assert told.returncode == 0 and told.stdout.startswith(f"usage: otpgate {name}") and not told.stderr
    for arguments in ([name, "--help"], [name, "-h"], [name, "list", "--help"], [name, "--nonsense", "--help"]):
        assert (otpgate(*arguments).returncode, otpgate(*arguments).stdout) == (0, told.stdout), arguments


def test_a_topic_that_there_is_not():
    done = otpgate("help", "dance")
    assert done.returncode == 2 and "there is no command dance" in done.stderr


def test_the_man_page_names_every_command():
    page = otpgate("help", "--man").stdout
    assert page.startswith(".TH OTPGATE 8")
    for name in NAMES:
        assert ".SS otpgate " + name.replace("-", "\\-") + "\n" in page


def completed(script, *words):
    """What bash offers for the last word."""
    quoted = " ".join(f"'{word}'" for word in words)
    run = f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _otpgate; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", run], capture_output=True, text=True, timeout=30, check=True).stdout.split()


def test_bash_completes(tmp_path):
    script = tmp_path / "otpgate"
    script.write_text(otpgate("help", "--bash").stdout)

    assert completed(script, "otpgate", "ou") == ["outbox"]
    assert completed(script, "otpgate", "") == NAMES
    assert completed(script, "otpgate", "user", "make") == ["make-admin", "make-user"]
    assert completed(script, "otpgate", "outbox", "list", "--d") == ["--dead"]
    assert completed(script, "otpgate", "user", "list", "--ro") == ["--role"]


@pytest.mark.one_process
def test_what_is_listed_is_listed_as_json_too(make_site, engine, address):
    site = make_site(engine)
    site.login(address)
    for arguments in (["keys", "list"], ["templates", "list"], ["outbox", "list"], ["user", "list"], ["health"]):
        done = site.otpgate.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told or arguments[0] == "outbox", arguments
    assert [key["state"] for key in json.loads(site.otpgate.run("keys", "list", "--json").stdout)] == ["current", "current"]
    assert json.loads(site.otpgate.run("health", "--json").stdout)["login"] == "ok"


def test_users_are_filtered(make_site):
    site = make_site()
    ann = site.login("ann@example.com")["user"]["id"]
    site.login("bob@example.org")
    for words in (["create", "--email", "Cleo@example.org", "--admin"], ["disable", "bob@example.org"]):
        assert site.otpgate.run("user", *words).returncode == 0
    site.request("PATCH", "/api/v1/auth/profile", json={"last_name": "Lovelace"}, token=site.login("ann@example.com")["access"])

    def listed(*options):
        done = site.otpgate.run("user", "list", "--json", *options)
        assert done.returncode == 0, done.stderr
        return [user["email"] for user in json.loads(done.stdout)]

    assert listed() == ["ann@example.com", "bob@example.org", "cleo@example.org"]
    assert listed("--status", "disabled") == ["bob@example.org"]
    assert listed("--role", "admin") == ["cleo@example.org"]
    assert listed("--match", "EXAMPLE.ORG") == ["bob@example.org", "cleo@example.org"]
    assert listed("--match", "lovelace") == ["ann@example.com"]
    assert listed("--match", "example.org", "--status", "active") == ["cleo@example.org"]
    assert listed("--limit", "2") == ["ann@example.com", "bob@example.org"]
    assert listed("--joined-since", "2999-01-01") == []
    assert listed("--unused-since", "2999-01-01") == listed()
    assert listed("--unused-since", "2020-01-01") == ["cleo@example.org"]
    assert site.otpgate.run("user", "list", "--match", "ann").stdout.startswith(ann)
    for wrong in (["--status", "tired"], ["--role", "king"], ["--limit", "many"], ["--joined-since", "yesterday"]):
        done = site.otpgate.run("user", "list", *wrong)
        assert done.returncode == 2 and wrong[0] in done.stderr, done.stderr
