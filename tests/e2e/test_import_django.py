"""otpgate import-django: users of a Django site with their passwords; on both engines."""
import base64
import hashlib
import json
import subprocess
import time

import pytest
from support.otpgate import BINARY
from test_passwords import AUTH, OTHER, login, sign_in
from test_user_commands import shown

# Made by Django 3.2 with its hashers; the password of each is this.
DJANGO_PASSWORD = "correct horse battery staple"
HASHES = {
    "argon2": "argon2$argon2id$v=19$m=102400,t=2,p=8$VnBDR04wclM2VzFhUk8xbU95d3BUdw$FSgMf6OBasvH61daf4eVxg",
    "bcrypt_sha256": "bcrypt_sha256$$2b$12$A1G5zaFK1Ts7CaPZU6it4../LF1WX25dUlHlUlTbjbMsQWVdTc5lu",
    # By Python's hashlib, which Django 4 calls.
    "scrypt": "scrypt$16384$1fhDrEIbFB5JwpyAcHCrcT$8$1$rGW0rZ0LUJcBUiUW1q54dNfrAAjzmcC9xjQWbMbnzYYEY/9NwldebNx1SePzwk76vtaIteKcR10QHHm5wg6z/A==",
    "pbkdf2_sha256": "pbkdf2_sha256$260000$mzlmmvA97SvAplc9txNU75$ZlHwvG2Ev/2Rh1URp4XpDEpYXVUAf4kJ7CRaq8Ik12E=",
}


def pbkdf2(password, iterations=1000):
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", iterations)
    return f"pbkdf2_sha256${iterations}$salt${base64.b64encode(digest).decode()}"


def row(number, model="auth.user", **fields):
    """What dumpdata writes for a user of Django's own model."""
    standard = {
        "password": pbkdf2(DJANGO_PASSWORD), "last_login": None, "is_superuser": False, "username": f"user{number}",
        "first_name": "", "last_name": "", "email": f"user{number}@example.com", "is_staff": False, "is_active": True,
        "date_joined": "2021-03-04T05:06:07.089Z", "groups": [], "user_permissions": [],
    }
    return {"model": model, "pk": number, "fields": {**standard, **fields}}


@pytest.fixture
def importer(make_site, engine, tmp_path):
    """A site, and a function that imports rows (or a text) into it: the finished process."""
    site = make_site(engine, limits_request_per_destination="1000/1h")
    dump = tmp_path / "dump.json"

    def run(rows, *arguments, timeout=60):
        dump.write_text(rows if isinstance(rows, str) else json.dumps(rows))
        return site.otpgate.run("import-django", str(dump), *arguments, timeout=timeout)

    return site, run


def everything(site):
    return site.sql("SELECT unique_name, display_name, email, phone_number, email_verified, phone_verified, first_name, last_name, role,"
                    " status, joined_at_us, last_login_at_us, password_hash FROM users ORDER BY unique_name, email")


def test_users_come_over_with_all_that_is_known_of_them(importer):
    site, run = importer
    full = row(1, username="ada", email="Ada@Example.com", first_name="Ada", last_name="Lovelace",
               last_login="2022-01-02T03:04:05Z", email_verified=True)
    disabled = row(2, is_active=False, date_joined="2021-03-04T05:06:07+02:00")
    phone = row(3, model="accounts.user", email="", phone_number="+15550100", is_phone_verified=True)
    naive = row(4, date_joined="2021-03-04T05:06:07")

    done = run([full, disabled, phone, naive])

    assert (done.returncode, done.stdout) == (0, "4 imported, 0 unchanged, 0 skipped\n"), done.stderr
    user = shown(site, "ada@example.com")
    assert (user["username"], user["first_name"], user["last_name"]) == ("ada", "Ada", "Lovelace")
    assert (user["email_verified"], user["role"], user["status"]) == (True, "user", "active")
    assert (user["date_joined"], user["last_login_at"]) == ("2021-03-04T05:06:07Z", "2022-01-02T03:04:05Z")
    assert shown(site, "user2@example.com")["status"] == "disabled"
    assert shown(site, "user2@example.com")["date_joined"] == "2021-03-04T03:06:07Z"
    user = shown(site, "+15550100")
    assert (user["email"], user["phone_verified"]) == (None, True)
    assert shown(site, "user4@example.com")["email_verified"] is False


@pytest.mark.parametrize("kind", HASHES)
def test_their_passwords_go_on_working_and_are_made_anew(importer, kind):
    site, run = importer
    address = "user1@example.com"
    assert run([row(1, password=HASHES[kind])]).returncode == 0
    assert login(site, address, OTHER).status_code == 401

    sign_in(site, address, DJANGO_PASSWORD)

    upgraded = site.sql("SELECT password_hash FROM users")[0][0]
    assert upgraded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    sign_in(site, address, DJANGO_PASSWORD)
    assert site.sql("SELECT password_hash FROM users") == [[upgraded]]


def test_an_imported_password_can_be_changed(importer):
    site, run = importer
    assert run([row(1)]).returncode == 0
    site.sql("UPDATE users SET email_verified = 1")
    token = site.login("user1@example.com")["access"]

    body = {"current_password": DJANGO_PASSWORD, "new_password": OTHER}
    assert site.post(f"{AUTH}/password-change", body, token=token).status_code == 200

    assert login(site, "user1@example.com", OTHER).status_code == 202


def test_unusable_passwords_are_none(importer):
    site, run = importer

    assert run([row(1, password="!zhSOnQqUNHm0A3Pxa"), row(2, password="")]).returncode == 0

    assert [line[-1] in ("NULL", "None") for line in everything(site)] == [True, True]
    assert login(site, "user1@example.com", "").status_code == 401


@pytest.mark.parametrize("arguments, role", [([], "user"), (["--admins"], "admin")])
def test_staff_are_administrators_only_when_asked_for(importer, arguments, role):
    site, run = importer

    assert run([row(1, is_staff=True), row(2, is_superuser=True), row(3)], *arguments).returncode == 0

    roles = [shown(site, f"user{number}@example.com")["role"] for number in (1, 2, 3)]
    assert roles == [role, role, "user"]


def test_bad_rows_are_named_and_skipped(importer):
    site, run = importer
    bad = [
        row(0, email="not an address"), row(1, email="", username="nobody"), row(2, first_name="x" * 151),
        row(3, last_name="a\u001bb"), row(4, is_active="yes"), row(5, date_joined="yesterday"), row(6, email=7),
        row(7, phone_number="0301234"), row(8, email="a..b@example.com"), {"model": "auth.user"}, "text", 12, None,
    ]

    done = run(bad + [row(20)])

    assert (done.returncode, done.stdout) == (1, "1 imported, 0 unchanged, 13 skipped\n")
    lines = [line for line in done.stderr.splitlines() if line.startswith("row ")]
    assert [line.split(":")[0] for line in lines] == [f"row {number}" for number in range(13)]
    for line, word in zip(lines, ("email", "neither", "first_name", "last_name", "is_active", "date_joined", "email",
                                  "phone_number", "lenient")):
        assert word in line, line
    # And counted by reason.
    counts = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert "warning: 1 skipped: email is not an e-mail address" in counts
    assert "warning: 3 skipped: it is not a JSON object" in counts
    assert sum(int(line.split()[1]) for line in counts) == 13
    assert "not an address" not in done.stderr and "\x1b" not in done.stderr


def test_flags_as_databases_write_them(importer):
    site, run = importer
    flags = {1: "active", 0: "disabled", "1": "active", "0": "disabled", "true": "active", "False": "disabled"}

    done = run([row(number, is_active=value, email_verified=value, is_staff=0) for number, value in enumerate(flags)])

    assert (done.returncode, done.stdout) == (0, "6 imported, 0 unchanged, 0 skipped\n"), done.stderr
    users = [shown(site, f"user{number}@example.com") for number in range(len(flags))]
    assert [user["status"] for user in users] == list(flags.values())
    assert [user["email_verified"] for user in users] == [status == "active" for status in flags.values()]


def test_addresses_as_people_write_them(importer):
    site, run = importer
    written = ["+49 30 123-4560", "tel:+49-30-123-4561", "+49 (0)30 1234562", "+٤٩٣٠١٢٣٤٥٦٣"]

    done = run([row(number, email="", phone_number=phone) for number, phone in enumerate(written)]
               + [row(9, email=" <Info@müller.example> ")])

    assert (done.returncode, done.stdout) == (0, "5 imported, 0 unchanged, 0 skipped\n"), done.stderr
    for number in range(len(written)):
        assert shown(site, f"+4930123456{number}")["username"] == f"user{number}"
    assert shown(site, "info@xn--mller-kva.example")["username"] == "user9"


NOT_TAKEN = {
    "md5$salt$0123456789abcdef0123456789abcdef": "md5 is too weak to keep",
    "md5$$0123456789abcdef0123456789abcdef": "md5 is too weak to keep",
    "0123456789abcdef0123456789abcdef": "unsalted_md5 is too weak to keep",
    "sha1$salt$0123456789abcdef0123456789abcdef01234567": "sha1 is too weak to keep",
    "crypt$$ab1234567890.": "crypt is too weak to keep",
    "pbkdf2_sha256$9999999999$salt$AAAA": "pbkdf2_sha256 that is damaged",
    "scrypt$1048576$salt$64$1$" + "A" * 88: "scrypt that costs too much",
    "plugin$" + "x" * 20: "it is of an unknown kind",
    "x" * 256: "it is longer than 255 bytes",
}


def test_passwords_that_are_not_taken_are_counted_by_reason(importer):
    site, run = importer
    rows = [row(number, password=password) for number, password in enumerate(NOT_TAKEN)]

    done = run(rows + [row(20), row(21, password="!nobody")])

    assert (done.returncode, done.stdout) == (1, f"{len(rows) + 2} imported, 0 unchanged, 0 skipped\n"), done.stderr
    for reason in set(NOT_TAKEN.values()):
        count = list(NOT_TAKEN.values()).count(reason)
        assert f"warning: {count} without their password: {reason}" in done.stderr.splitlines()
    assert "0123456789abcdef" not in done.stderr
    # Their owners are there, and sign in by code.
    assert site.login("user0@example.com")["user"]["username"] == "user0"
    assert login(site, "user0@example.com", DJANGO_PASSWORD).status_code == 401
    again = run(rows)
    assert (again.returncode, again.stdout) == (0, f"0 imported, {len(rows)} unchanged, 0 skipped\n")


def test_a_second_run_changes_nothing(importer):
    site, run = importer
    rows = [row(1), row(2, first_name="Ada")]
    assert run(rows).returncode == 0
    sign_in(site, "user1@example.com", DJANGO_PASSWORD)
    before = everything(site)

    done = run([row(1, first_name="Mallory", password=pbkdf2("x")), *rows[1:], row(3)])

    assert (done.returncode, done.stdout) == (0, "1 imported, 2 unchanged, 0 skipped\n")
    assert [line for line in everything(site) if line[0] != "user3"] == before


def test_an_address_that_comes_twice_is_named(importer):
    site, run = importer

    done = run([row(1), row(2), row(3, email="USER1@example.com")])

    assert (done.returncode, done.stdout) == (1, "2 imported, 0 unchanged, 1 skipped\n")
    assert "warning: 1 skipped: they have the address of an earlier row" in done.stderr
    assert "row 2: " in done.stderr and "row 0" in done.stderr


def test_other_models_are_left_out(importer):
    site, run = importer
    group = {"model": "auth.group", "pk": 1, "fields": {"name": "editors", "permissions": []}}

    done = run([group, row(1), {"model": "sessions.session", "pk": "x", "fields": {"session_data": "\\\"]}"}}])

    assert done.stdout == "1 imported, 0 unchanged, 0 skipped\n"
    assert "2 objects of other models" in done.stderr


def test_an_address_as_the_user_name_is_enough(importer):
    site, run = importer

    assert run([row(1, email="", username="Ada@example.com")]).returncode == 0

    user = shown(site, "ada@example.com")
    assert user["username"] == "ada@example.com" and "display_name" not in user


def test_a_user_name_is_one_accounts_and_what_does_not_fit_is_shown(importer):
    site, run = importer
    names = ["Ada", "ADA", "Ada Lovelace", "аda", "ｂｏｂ", "admin", "+4930123456", "eve@example.com", "x" * 65, "bob"]

    done = run([row(number, username=name) for number, name in enumerate(names)])

    assert (done.returncode, done.stdout) == (0, "10 imported, 0 unchanged, 0 skipped\n"), done.stderr
    users = [shown(site, f"user{number}@example.com") for number in range(len(names))]
    assert [user["username"] for user in users] == [
        "ada", *(f"user{number}@example.com" for number in range(1, 9)), "bob"]
    assert [user.get("display_name") for user in users] == [
        "Ada", "ADA", "Ada Lovelace", "аda", "ｂｏｂ", "admin", None, None, "x" * 65, None]
    counts = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert counts == [
        "warning: 1 with their user name as the display name alone: it is an administrator's",
        "warning: 4 with their user name as the display name alone: it is not 2 to 64 of a-z, 0-9, dot, _ and - with a letter",
        "warning: 1 with their user name as the display name alone: it is, or was, somebody else's"]


def test_administrators_keep_their_names(importer):
    site, run = importer

    assert run([row(1, username="admin", is_staff=True)], "--admins").returncode == 0

    assert shown(site, "admin")["role"] == "admin"


@pytest.mark.parametrize("text", ["", "{}", "[", '[{"model": "auth.user"', "[1],", "[1] x", "[" * 100000])
def test_what_is_no_array_is_an_error(importer, text):
    site, run = importer

    done = run(text)

    assert done.returncode == 1, done
    assert not done.stdout
    assert "not a JSON array" in done.stderr


def test_arguments_are_checked(importer, tmp_path):
    site, _ = importer
    for arguments, code in (([], 2), (["a", "b"], 2), (["--admin", "a"], 2), ([str(tmp_path / "missing.json")], 1)):
        assert site.otpgate.run("import-django", *arguments).returncode == code
    assert "--admins" in site.otpgate.run("import-django", "--help").stdout


def test_standard_input_will_do(importer):
    site, _ = importer

    done = subprocess.run([BINARY, "import-django", "-", "--config", site.otpgate.config], input=json.dumps([row(1)]),
                          capture_output=True, text=True, env=site.otpgate.env, timeout=60, check=False)

    assert done.stdout == "1 imported, 0 unchanged, 0 skipped\n", done.stderr


@pytest.mark.alone
def test_100000_users_take_less_than_a_minute_and_little_memory(importer):
    site, run = importer
    template = json.dumps(row("@", first_name="Ada", last_name="Lovelace"))
    text = "[" + ",\n".join(template.replace("@example.com", "\0").replace("@", str(number)).replace("\0", "@example.com")
                            for number in range(100_000)) + "]"

    begin = time.monotonic()
    done = run(text, timeout=120)
    first = time.monotonic() - begin

    assert (done.returncode, done.stdout) == (0, "100000 imported, 0 unchanged, 0 skipped\n"), done.stderr[-500:]
    assert "100000 rows read" in done.stderr
    begin = time.monotonic()
    assert run(text, timeout=120).stdout == "0 imported, 100000 unchanged, 0 skipped\n"
    print(f"100000 users: {first:.1f} s, again {time.monotonic() - begin:.1f} s")
    assert first < 60
    # Logins go on meanwhile and after.
    assert login(site, "user99999@example.com", DJANGO_PASSWORD).status_code == 202
