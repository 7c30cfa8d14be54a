"""otpgate backup, restore and copy-data: everybody stays signed in, whatever engine it comes from and goes to."""
import contextlib
import os
import pathlib
import re
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest

from support import ports
from support.otpgate import BINARY

ENGINES = ["sqlite", "mysql"]


def complaints(done):
    """What it says of faults: how far it is, it says as well where it takes more than a moment."""
    return [line for line in done.stderr.splitlines() if not re.fullmatch(r"\d+ of \d+ rows, \d+%", line)]


def stopped(make_site, engine, key_of=None):
    """A site of which only the database server, if any, is there; with the master key of another."""
    site = make_site(engine, start=False)
    if site.database:
        site.mysql.recreate(site.database)
    if key_of:
        site.otpgate.take_key_of(key_of.otpgate)
    return site


def serve(site):
    site.otpgate.start()
    site.web.start()
    return site


def refresh(site, login):
    return site.post("/api/v1/auth/token/refresh", {"refresh": login["refresh"]})


def password_file(folder, site):
    path = folder / "password"
    path.write_text(str(site.settings.get("database.password", "")) + "\n")
    return path


@pytest.mark.long
@pytest.mark.parametrize("to", ENGINES)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_backup_is_made_while_the_service_runs_and_restored_elsewhere(make_site, engine, to, address, tmp_path):
    site = make_site(engine)
    login = site.login(address)
    file = tmp_path / "backup"

    done = site.otpgate.run("backup", file)

    assert done.returncode == 0 and not complaints(done), done.stderr
    assert f"the master key is not in it: keep a copy of {site.folder}/master.key" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (site.folder / "master.key").read_text().split(":")[1].strip() not in file.read_bytes().hex()
    again = site.otpgate.run("backup", file)
    assert again.returncode == 2 and "is there already" in again.stderr

    other = stopped(make_site, to, site)
    done = other.otpgate.run("restore", file)
    assert done.returncode == 0 and "read again and found the same" in done.stdout and not complaints(done), done.stderr
    serve(other)
    assert refresh(other, login).status_code == 200
    assert other.login(address)["user"]["id"] == login["user"]["id"]
    # Over what is there now only when told, and never while it is used.
    assert "otpgate runs over this database" in other.otpgate.run("restore", file, "--replace").stderr
    other.otpgate.stop()
    done = other.otpgate.run("restore", file)
    assert done.returncode == 2 and "holds rows already" in done.stderr
    assert other.otpgate.run("restore", file, "--replace").returncode == 0
    other.otpgate.start()
    assert refresh(other, login).status_code == 200


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_a_backup_is_of_one_moment(make_site, new_address, engine, tmp_path):
    """Whoever signs in meanwhile is in it wholly or not at all: no session without its user."""
    site = make_site(engine)
    over = threading.Event()

    def sign_in():
        while not over.is_set():
            site.login(new_address())

    people = threading.Thread(target=sign_in)
    people.start()
    try:
        for number in range(5):
            assert site.otpgate.run("backup", tmp_path / f"{number}").returncode == 0
    finally:
        over.set()
        people.join()
    for number in range(5):
        other = stopped(make_site, "sqlite", site)
        assert other.otpgate.run("restore", tmp_path / f"{number}").returncode == 0
        assert other.sql("SELECT COUNT(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)") == [["0"]]


def test_half_a_backup_changes_nothing(make_site, address, tmp_path):
    site = make_site()
    site.login(address)
    whole = tmp_path / "whole"
    assert site.otpgate.run("backup", whole).returncode == 0
    part = tmp_path / "part"
    part.write_bytes(whole.read_bytes()[:-100])
    site.otpgate.stop()

    done = site.otpgate.run("restore", part, "--replace")

    assert done.returncode == 2 and "damaged or a part only" in done.stderr
    assert site.sql("SELECT COUNT(*) FROM users") == [["1"]]
    site.otpgate.start()


def test_a_restore_with_another_master_key_says_so(make_site, address, tmp_path):
    site = make_site()
    site.login(address)
    assert site.otpgate.run("backup", tmp_path / "backup").returncode == 0
    other = stopped(make_site, "sqlite")
    assert other.otpgate.run("keys", "init").returncode == 0

    done = other.otpgate.run("restore", tmp_path / "backup")

    assert done.returncode == 0 and "holds another key than the backup was made with" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("direction", [("sqlite", "mysql"), ("mysql", "sqlite")], ids="-to-".join)
def test_who_started_on_one_engine_goes_on_on_the_other(make_site, new_address, direction, tmp_path):
    old = make_site(direction[0], limits_guesses_per_destination="3/1h")
    people = {address: old.login(address) for address in (new_address() for _ in range(5))}
    guesser = new_address()
    for _ in range(3):
        otp_id, code = old.request_code(guesser)
        assert old.verify(otp_id, f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}").status_code == 400
    new = stopped(make_site, direction[1], old)
    new.otpgate.settings["limits.guesses_per_destination"] = "3/1h"
    new.otpgate.write_config()
    arguments = ["copy-data", "--to", new.settings["database.url"]]
    if new.database:
        arguments += ["--to-password-file", password_file(tmp_path, new)]

    warned = old.otpgate.run(*arguments)
    assert warned.returncode == 0 and "otpgate still serves from" in warned.stderr, warned.stderr
    old.otpgate.stop()
    done = old.otpgate.run(*arguments, "--replace")
    assert done.returncode == 0 and not complaints(done), done.stderr
    assert f"database.url = {new.settings['database.url']}" in done.stdout

    # Row for row.
    for [table] in old.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                           if old.database else "SELECT name FROM sqlite_master WHERE type = 'table'"):
        if not table.startswith("schema_") and table != "key_holders":
            count = f"SELECT COUNT(*) FROM {table}"
            assert new.sql(count) == old.sql(count), table
    serve(new)
    for address, login in people.items():
        assert refresh(new, login).status_code == 200
        assert new.login(address)["user"]["id"] == login["user"]["id"]
    # The guesses are still counted.
    otp_id, code = new.request_code(guesser)
    assert new.verify(otp_id, code).status_code == 429


def many_users(path, count):
    """A database of an otpgate with so many users, each with a session; none has a user name, which `migrate` would adopt one by one."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO users (id, username, email, joined_at_us)
            SELECT CAST(printf('%016d', i) AS BLOB), 'user' || i || '@example.com', 'user' || i || '@example.com', i FROM n""")
        connection.execute("""
            INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,
                                  ip_address, user_agent)
            SELECT CAST(printf('%016d', rowid_of * 7) AS BLOB), id, 1, 2, 4000000000000000, 1, '192.0.2.1',
                   'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0'
            FROM (SELECT id, CAST(CAST(id AS TEXT) AS INTEGER) AS rowid_of FROM users)""")


@pytest.mark.long
def test_a_copy_that_was_killed_serves_nobody_and_is_begun_anew(make_site, tmp_path):
    old = stopped(make_site, "sqlite")
    old.otpgate.prepare()
    many_users(old.folder / "otpgate.db", 20_000)
    new = stopped(make_site, "mysql", old)
    arguments = ["copy-data", "--to", new.settings["database.url"], "--to-password-file", password_file(tmp_path, new),
                 "--config", old.otpgate.config]
    process = subprocess.Popen([BINARY, *arguments], env=old.otpgate.env)

    def has_begun():
        with contextlib.suppress(RuntimeError):
            return int(new.sql("SELECT COUNT(*) FROM sessions")[0][0]) > 0
        return False

    ports.wait_until(has_begun, 60, "rows have come")
    process.send_signal(signal.SIGKILL)
    process.wait()

    for command in (["migrate"], ["health"], ["serve"]):
        done = new.otpgate.run(*command)
        assert done.returncode != 0 and "half full" in done.stdout + done.stderr, (command, done)
    done = old.otpgate.run(*arguments[:-2], timeout=120)
    assert done.returncode == 0 and "read again and found the same" in done.stdout, done
    assert new.sql("SELECT COUNT(*) FROM users") == new.sql("SELECT COUNT(*) FROM sessions") == [["20000"]]
    assert new.otpgate.run("migrate").returncode == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_no_database_is_replaced_by_itself(make_site, engine, address, tmp_path):
    site = make_site(engine)
    login = site.login(address)
    site.otpgate.stop()
    if engine == "mysql":
        others = [f"mysql://{site.mysql.user}@localhost/{site.database}?socket={site.mysql.socket}"]
    else:
        file = site.settings["database.url"].removeprefix("sqlite:")
        path = pathlib.Path(file)
        (path.parent / "link.db").symlink_to(file)
        os.link(file, path.parent / "hard.db")
        others = [f"sqlite:{path.parent}/{name}" for name in ("link.db", "hard.db", f"../{path.parent.name}/{path.name}")]
    for other in others:
        arguments = ["copy-data", "--to", other, "--replace"]
        if engine == "mysql":
            arguments += ["--to-password-file", password_file(tmp_path, site)]
        done = site.otpgate.run(*arguments)
        said = "by another name" if engine == "mysql" else "name the same database"
        assert done.returncode == 2 and said in done.stderr, (other, done.stdout, done.stderr)
    serve(site)
    assert refresh(site, login).status_code == 200


def test_a_database_that_is_not_there_is_not_made(make_site, tmp_path):
    site = stopped(make_site, "sqlite")
    done = site.otpgate.run("copy-data", "--from", f"sqlite:{tmp_path}/no.db")
    assert done.returncode == 2 and f"there is no {tmp_path}/no.db" in done.stderr and not os.listdir(tmp_path)
    done = site.otpgate.run("backup", tmp_path / "backup")
    assert done.returncode == 2 and not os.listdir(tmp_path)
    done = site.otpgate.run("copy-data")
    assert done.returncode == 2 and "the same database" in done.stderr
