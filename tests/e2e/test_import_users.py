"""otpgate import-users: users of any service, one a line, with their passwords; on both engines."""
import crypt
import json
import subprocess
import time

import pytest
from support.otpgate import BINARY
from test_import_django import everything
from test_passwords import OTHER, login, sign_in
from test_user_commands import shown

PASSWORD = "correct horse"
# Each of this password, as the service at its left writes them.
HASHES = {
    "kratos pbkdf2": "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
    "kratos scrypt": "$scrypt$ln=1024,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M=",
    "passlib scrypt": "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
    "werkzeug": "pbkdf2:sha256:1000$saltSALT$3ab9fb36a44f1010f26329674e1e785ca5626118394f66c004b3cd58dc2b34ec",
    "dovecot": "{SHA512-CRYPT}" + crypt.crypt(PASSWORD, "$6$rounds=1000$saltSALT"),
    "linux": crypt.crypt(PASSWORD, "$5$saltSALT"),
    "php": crypt.crypt(PASSWORD, "$2b$04$abcdefghijklmnopqrstuu").replace("$2b$", "$2y$"),
}
NOT_TAKEN = {
    "$6$rounds=999999999$saltSALT$" + "." * 86: "sha512-crypt that costs too much",
    "$scrypt$ln=31,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + "A" * 43: "scrypt that costs too much",
    "$pbkdf2-sha256$i=1000000000$c2FsdA$" + "A" * 43: "pbkdf2 that costs too much",
    "$argon2id$v=19$m=65536,t=1000000000,p=1$c2FsdHNhbHQ$" + "A" * 43: "argon2 that costs too much",
    "$2y$31$" + "a" * 53: "bcrypt that costs too much",
    "$2y$10$" + "a" * 50: "bcrypt that is damaged",
    "{SSHA}AAAA": "salted sha is too weak to keep",
    "$P$B12345678": "phpass is too weak to keep",
    "hunter2": "it is of an unknown kind",
}


@pytest.fixture
def importer(make_site, engine, tmp_path):
    """A site, and a function that imports lines into it: the finished process."""
    site = make_site(engine, limits_request_per_destination="1000/1h")
    file = tmp_path / "users.jsonl"

    def run(lines, *arguments, timeout=60):
        file.write_text(lines if isinstance(lines, str) else "".join(json.dumps(line) + "\n" for line in lines))
        return site.otpgate.run("import-users", str(file), *arguments, timeout=timeout)

    return site, run


def test_people_come_over_with_all_that_is_known_of_them(importer):
    site, run = importer
    assert site.otpgate.run("group", "create", "staff").returncode == 0
    full = {
        "email": "Ada@Example.com", "phone_number": "+15550100", "email_verified": True, "username": "Ada", "first_name": "Ada",
        "last_name": "Lovelace", "locale": "de", "status": "disabled", "joined_at": "2021-03-04T05:06:07Z",
        "last_login_at": "2022-01-02T03:04:05Z", "groups": ["staff", "Staff"], "password_hash": None,
    }
    hashed = [{"email": f"user{number}@example.com", "password_hash": text} for number, text in enumerate(HASHES.values())]

    done = run([full, *hashed])

    assert (done.returncode, done.stdout) == (0, f"{len(hashed) + 1} imported, 0 unchanged, 0 skipped\n"), done.stderr
    user = shown(site, "ada@example.com")
    assert (user["username"], user["display_name"], user["first_name"], user["locale"]) == ("ada", "Ada", "Ada", "de")
    assert (user["email_verified"], user["phone_verified"], user["status"], user["groups"]) == (True, False, "disabled", ["staff"])
    assert (user["date_joined"], user["last_login_at"]) == ("2021-03-04T05:06:07Z", "2022-01-02T03:04:05Z")
    assert site.otpgate.run("group", "list").stdout == "staff  1\n"
    # Their passwords go on working, and are made anew.
    for line in hashed:
        assert login(site, line["email"], OTHER).status_code == 401
        sign_in(site, line["email"], PASSWORD)
    kept = [row[-1] for row in everything(site) if row[2] != "ada@example.com"]
    assert all(text.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for text in kept)
    # A second run changes nothing.
    before = everything(site)
    again = run([{**full, "first_name": "Mallory"}, *hashed, {"email": "new@example.com"}])
    assert (again.returncode, again.stdout) == (0, f"1 imported, {len(hashed) + 1} unchanged, 0 skipped\n")
    assert [row for row in everything(site) if row[2] != "new@example.com"] == before


def test_what_is_not_taken_is_named_by_its_line_and_counted_by_reason(importer):
    site, run = importer
    bad = {
        '{"emial": "a@example.com"}': "there is an unknown field emial",
        '{"email": "x@example.com", "Some Thing": 1}': "there is an unknown field",
        '{"email": "not an address"}': "email is not an e-mail address",
        '{"first_name": "Ann"}': "there is neither an e-mail address nor a telephone number",
        '{"email": "b@example.com", "role": "admin"}': "role admin needs --admins",
        '{"email": "b@example.com", "status": "gone"}': "status is neither active nor disabled",
        '{"email": "b@example.com", "email_verified": 1}': "email_verified is neither true nor false",
        '{"email": "b@example.com", "joined_at": "yesterday"}': "joined_at is not a date and time",
        '{"email": "b@example.com", "locale": "!"}': "locale is not a language tag such as de or pt-BR",
        '{"email": "b@example.com", "groups": "x"}': "groups is not an array",
        '{"email": "b@example.com", "groups": ["x"]}': "there is no group x",
        '["b@example.com"]': "it is not a JSON object",
        '{"email": "b@example.com"': "it is not a JSON object",
    }
    hashes = [json.dumps({"email": f"user{number}@example.com", "password_hash": text}) for number, text in enumerate(NOT_TAKEN)]
    # Every wrong password would cost as much as all of these together.
    costs = [json.dumps({"email": f"cost{number}@example.com", "password_hash":
                         f"$argon2id$v=19$m=64,t={number},p=1$c2FsdHNhbHQ$" + "A" * 43}) for number in range(1, 9)]
    lines = [*bad, "", "  ", *hashes, *costs, '{"email": "USER0@example.com"}']

    done = run("\n".join(lines))  # without an end of the last line

    taken = len(hashes) + len(costs)
    assert (done.returncode, done.stdout) == (1, f"{taken} imported, 0 unchanged, {len(bad) + 1} skipped\n"), done.stderr
    said = done.stderr.splitlines()
    for number, reason in enumerate(bad.values(), 1):
        assert f"line {number}: {reason}" in said
    for number, reason in enumerate(NOT_TAKEN.values(), len(bad) + 3):
        assert f"line {number}: without its password: {reason}" in said
        assert f"warning: {list(NOT_TAKEN.values()).count(reason)} without their password: {reason}" in said
    assert f"line {len(lines)}: it has the address of line {len(bad) + 3}" in said
    assert "warning: 2 skipped: it is not a JSON object" in said
    assert any("without their password: it is of one cost of Argon2 or scrypt too many" in line for line in said)
    assert len(site.sql("SELECT cost FROM password_costs WHERE cost LIKE 'argon2%'")) == 6
    assert "hunter2" not in done.stderr and "rounds=" not in done.stderr
    # Their owners are there, and sign in by code.
    assert site.login("user0@example.com")["user"]["email"] == "user0@example.com"


def test_an_import_that_was_killed_goes_on_where_it_was(importer):
    site, run = importer
    lines = [json.dumps({"email": f"user{number}@example.com"}) for number in range(1200)]
    with subprocess.Popen([BINARY, "import-users", "-", "--config", site.otpgate.config], stdin=subprocess.PIPE, text=True,
                          env=site.otpgate.env) as half:
        half.stdin.write("\n".join(lines) + "\n")
        half.stdin.flush()
        end = time.monotonic() + 30
        while len(site.sql("SELECT email FROM users")) < 1000 and time.monotonic() < end:
            time.sleep(0.02)
        half.kill()

    done = run("\n".join(lines))

    assert (done.returncode, done.stdout) == (0, "200 imported, 1000 unchanged, 0 skipped\n"), done.stderr
    assert len(site.sql("SELECT email FROM users")) == 1200


def test_administrators_only_when_asked_for(importer):
    site, run = importer

    assert run([{"email": "root@example.com", "role": "admin", "username": "admin"}], "--admins").returncode == 0

    assert shown(site, "admin")["role"] == "admin"
