"""/health/ready is good exactly where users can sign in, and says what is wrong where they cannot."""
import os
import pwd
import shutil
import subprocess

import pytest
from support import ports
from support.mariadb import Mariadb
from support.otpgate import Otpgate

pytestmark = pytest.mark.one_process

READY = "/health/ready"
CHECKS = ["database", "clock", "migrations", "keys", "login"]
TABLES = ["audit_events", "devices", "otp_requests", "outbox", "rate_limits", "sessions", "users"]


def problem_when_seen(site):
    """What it answers once it has noticed: it looks every other second."""
    def not_ready():
        answer = site.get(READY)
        return answer.json() if answer.status_code == 503 else None

    return ports.wait_until(not_ready, 10, "it is not ready")


def await_ready(site):
    return ports.wait_until(lambda: site.get(READY).status_code == 200, 10, "it is ready")


def test_readiness_signs_somebody_in_and_leaves_no_row(make_site, engine, address):
    site = make_site(engine)
    before = {table: site.sql(f"SELECT COUNT(*) FROM {table}") for table in TABLES}

    answer = site.get(READY)

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": dict.fromkeys(CHECKS, "ok")}
    assert {table: site.sql(f"SELECT COUNT(*) FROM {table}") for table in TABLES} == before
    assert site.otpgate.run("health").stdout.count(": ok\n") == len(CHECKS) + 1
    site.login(address)


def test_being_asked_often_costs_the_database_nothing_more(make_site):
    site = make_site("mysql", metrics_allowed_addresses="127.0.0.1")
    await_ready(site)

    def round_trips():
        lines = [line for line in site.get("/metrics").text.splitlines()
                 if line.startswith("otpgate_database_round_trips_total")]
        return float(lines[0].rsplit(" ", 1)[1])

    before = round_trips()
    for _ in range(200):
        assert site.get(READY).status_code == 200
    assert round_trips() - before < 200


# What is planted, what mends it, and what the reason names.
DEFECTS = {
    "read-only": ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0", "read-only"),
    "table": ("RENAME TABLE sessions TO gone", "RENAME TABLE gone TO sessions", "sessions"),
    "column": ("ALTER TABLE users RENAME COLUMN locale TO gone", "ALTER TABLE users RENAME COLUMN gone TO locale", "locale"),
    "index": (
        "ALTER TABLE otp_requests RENAME INDEX otp_requests_destination TO gone",
        "ALTER TABLE otp_requests RENAME INDEX gone TO otp_requests_destination", "otp_requests_destination"),
    "narrower column": (
        "ALTER TABLE outbox MODIFY destination VARCHAR(20) NOT NULL",
        "ALTER TABLE outbox MODIFY destination VARCHAR(254) NOT NULL", "too long"),
    "right": (
        "REVOKE ALL ON `otpgate\\_%`.* FROM otpgate@localhost, otpgate@'%'; GRANT SELECT ON `otpgate\\_%`.* TO"
        " otpgate@localhost, otpgate@'%'",
        "GRANT ALL ON `otpgate\\_%`.* TO otpgate@localhost, otpgate@'%'", "denied"),
    "trigger of nobody": (
        "CREATE DEFINER = nobody@nowhere TRIGGER audited BEFORE INSERT ON audit_events FOR EACH ROW SET NEW.metadata = 'x'",
        "DROP TRIGGER audited", "nobody"),
    "migration": (
        "UPDATE schema_migrations SET version = '9999_of_a_newer_one' WHERE version LIKE '0003%'",
        "UPDATE schema_migrations SET version = '0003_delivery' WHERE version = '9999_of_a_newer_one'", "9999_of_a_newer_one"),
}


@pytest.mark.long
def test_planted_defects_of_the_database_are_named(make_site, own_mariadb, address):
    site = make_site("mysql", mysql=own_mariadb.address, metrics_allowed_addresses="127.0.0.1")
    for name, (plant, mend, named) in DEFECTS.items():
        await_ready(site)
        own_mariadb.root.sql(plant, site.database)
        if name == "right":
            site.otpgate.restart()  # connections keep the rights that they began with

        problem = problem_when_seen(site)

        assert problem["check"] in CHECKS, name
        assert named in problem["reason"], (name, problem)
        # The command says the same, and a start says it in its log.
        told = site.otpgate.run("health")
        assert told.returncode == 1 and named in told.stdout, (name, told.stdout)
        assert "users cannot sign in" in site.otpgate.log()
        own_mariadb.root.sql(mend, site.database)
        if name == "right":
            site.otpgate.restart()
    await_ready(site)
    assert site.otpgate.log().count("users cannot sign in") == len(DEFECTS)
    site.login(address)


@pytest.mark.long
def test_a_start_on_a_planted_defect_says_in_one_line_why_nobody_can_sign_in(make_site, own_mariadb, address):
    """As after a restore: it ends with the reason, or runs and tells it; `otpgate health` and the monitors hear the same."""
    site = make_site("mysql", mysql=own_mariadb.address, metrics_allowed_addresses="127.0.0.1")
    for name, (plant, mend, named) in DEFECTS.items():
        site.otpgate.stop()
        own_mariadb.root.sql(plant, site.database)
        told_before = len(site.otpgate.log().splitlines())

        site.otpgate.process.start()

        def reason(since=told_before):
            told = [line for line in site.otpgate.log().splitlines()[since:] if named in line]
            # What works in the background may fail by the same cause, and says so too.
            return [line for line in told if "housekeeping failed" not in line]

        ports.wait_until(reason, 20, f"the log names it: {name}")
        assert len(reason()) == 1, (name, reason())
        told = site.otpgate.run("health")
        assert told.returncode == 1 and named in told.stdout, (name, told.stdout)
        if site.otpgate.process.is_running():
            assert named in problem_when_seen(site)["reason"], name
        else:
            assert site.otpgate.process.popen.wait() != 0, name
        own_mariadb.root.sql(mend, site.database)
        site.otpgate.restart()
        await_ready(site)
        site.login(f"{name.replace(' ', '-')}-{address}")


def test_a_replication_format_that_refuses_our_writes_is_named(make_site, new_folder):
    server = Mariadb(new_folder(), options=["--log-bin", "--binlog-format=ROW"]).start()
    try:
        site = make_site("mysql", mysql=server.address, metrics_allowed_addresses="127.0.0.1")
        server.root.sql("SET GLOBAL binlog_format = 'STATEMENT'")  # of connections from now on
        site.otpgate.restart()
        problem = problem_when_seen(site)
        assert problem["check"] == "login"
        assert "STATEMENT" in problem["reason"]
        assert ports.wait_until(lambda: "users cannot sign in" in site.otpgate.log(), 5, "the log names it")
    finally:
        server.stop()


def test_why_is_told_to_monitors_only(make_site, own_mariadb):
    site = make_site("mysql", mysql=own_mariadb.address)
    own_mariadb.root.sql("RENAME TABLE sessions TO gone", site.database)

    problem = problem_when_seen(site)

    # Both fail, and either may look first.
    assert problem["check"] in ("migrations", "login")
    assert "reason" not in problem and "sessions" not in str(problem)


@pytest.fixture
def small_disk(new_folder):
    folder = new_folder()
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_named(make_site, small_disk, address):
    site = make_site("sqlite", **{"database.url": f"sqlite:{small_disk}/otpgate.db"},
                     metrics_allowed_addresses="127.0.0.1")
    await_ready(site)
    filler = small_disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        with pytest.raises(OSError):
            while True:
                file.write(b"x" * 4096)

    problem = problem_when_seen(site)

    assert problem["check"] == "login"
    assert "full" in problem["reason"]
    filler.unlink()
    await_ready(site)
    site.login(address)


def dump_of(site):
    """By the dump tool of the server's own make, as README.md says."""
    tool = os.environ.get("OTPGATE_TEST_DUMP", f"mariadb-dump --no-defaults --socket={site.mysql.socket}")
    done = subprocess.run([*tool.split(), "--user=root", "--single-transaction", site.database], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def restore(site, dump):
    site.mysql.recreate(site.database)
    subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={site.mysql.socket}", "--user=root", site.database], input=dump, check=True)


@pytest.mark.long
def test_a_restored_dump_serves_logins(make_site, address):
    site = make_site("mysql")
    login = site.login(address)
    dump = dump_of(site)
    site.otpgate.stop()
    restore(site, dump)

    assert site.otpgate.run("migrate").returncode == 0
    site.otpgate.start()

    await_ready(site)
    assert site.get("/api/v1/auth/me", token=login["access"]).status_code == 200
    assert not site.login(address)["is_new_user"]


@pytest.mark.long
@pytest.mark.parametrize("first_lost, named", [
    ("users", "the table users is missing"),
    ("schema_migrations", "no schema_migrations"),  # what comes before it is there
])
def test_half_a_dump_is_named(make_site, address, first_lost, named):
    site = make_site("mysql")
    site.login(address)
    dump = dump_of(site)
    site.otpgate.stop()
    half = dump[:dump.index(f"DROP TABLE IF EXISTS `{first_lost}`".encode())]
    restore(site, half)
    tables = site.sql("SHOW TABLES")

    migrated = site.otpgate.run("migrate")
    health = site.otpgate.run("health")
    site.otpgate.process.start()
    started = site.otpgate.process.popen.wait(20)

    # It makes nothing beside what is there: an empty table would hide that rows are lost.
    assert site.sql("SHOW TABLES") == tables
    assert migrated.returncode != 0 and named in migrated.stderr, migrated.stderr
    assert len(migrated.stderr.splitlines()) == 1
    assert started != 0
    last = site.otpgate.log().splitlines()[-1]
    if first_lost == "users":
        assert named in last, last
        assert health.returncode == 1 and f"migrations: {named}" in health.stdout, health.stdout
    else:
        assert "run otpgate migrate" in last and "run otpgate migrate" in health.stdout
    restore(site, dump)
    site.otpgate.start()
    await_ready(site)
    site.login(address)


def test_a_table_that_is_lost_while_it_runs_is_named(make_site, engine):
    """Though a login does without it."""
    site = make_site(engine, metrics_allowed_addresses="127.0.0.1")
    await_ready(site)
    site.sql("ALTER TABLE api_keys RENAME TO gone")

    problem = problem_when_seen(site)

    assert problem["check"] == "migrations" and "api_keys" in problem["reason"]
    site.sql("ALTER TABLE gone RENAME TO api_keys")
    await_ready(site)


def test_a_copy_of_the_file_serves_logins(make_site, new_folder, address):
    site = make_site("sqlite")
    site.login(address)
    site.otpgate.kill()  # with what is in the write-ahead log
    copy = new_folder()
    copy.mkdir()
    for file in site.otpgate.folder.glob("otpgate.db*"):
        shutil.copy(file, copy / file.name)
    site.otpgate.settings["database.url"] = f"sqlite:{copy}/otpgate.db"
    site.otpgate.write_config()

    site.otpgate.start()

    await_ready(site)
    site.login(address)


def test_what_root_migrates_its_folders_owner_can_open(new_folder):
    """systemd's StateDirectory belongs to the service."""
    assert os.geteuid() == 0
    folder = new_folder()
    otpgate = Otpgate(folder, {})
    state = folder / "state"
    state.mkdir()
    owner = pwd.getpwnam("nobody")
    os.chown(state, owner.pw_uid, owner.pw_gid)
    otpgate.settings["database.url"] = f"sqlite:{state}/otpgate.db"
    otpgate.write_config()

    otpgate.prepare()

    for file in state.iterdir():
        assert (file.stat().st_uid, file.stat().st_gid) == (owner.pw_uid, owner.pw_gid), file
        assert file.stat().st_mode & 0o077 == 0


def test_check_config_reads_as_the_service_does(new_folder):
    otpgate = Otpgate(new_folder(), {"mail.transport": "null"}).prepare()
    key = otpgate.folder / "master.key"
    otpgate.folder.chmod(0o755)
    assert otpgate.run("check-config").returncode == 0

    as_nobody = otpgate.run("check-config", "--as", "nobody")

    assert as_nobody.returncode == 2
    assert str(key) in as_nobody.stderr
    os.chown(key, pwd.getpwnam("nobody").pw_uid, 0)
    assert "as the user nobody reads it" in otpgate.run("check-config", "--as", "nobody").stdout
    assert otpgate.run("check-config", "--as", "no-such-user").returncode == 2


@pytest.mark.parametrize("url,is_doubtful", [("http://localhost:8080", True), ("https://127.0.0.1", True),
                                             ("http://login.example.org", True), ("https://login.example.org", False)])
def test_check_config_doubts_an_address_that_leads_nowhere(new_folder, url, is_doubtful):
    otpgate = Otpgate(new_folder(), {"environment": "production", "server.public_url": url}).prepare()

    told = otpgate.run("check-config")

    assert told.returncode == 0
    assert ("doubtful: server.public_url" in told.stdout) == is_doubtful


def test_check_config_doubts_a_second_factor_without_passkeys(new_folder):
    settings = {"environment": "production", "server.public_url": "https://login.example.org", "mfa.required": "all"}
    told = [Otpgate(new_folder(), {**settings, "passkeys.enabled": on}).prepare().run("check-config").stdout for on in ("true", "false")]

    assert ["doubtful: mfa.required" in each for each in told] == [False, True]


def test_serve_migrates_first_where_it_is_told_to(new_folder, address):
    otpgate = Otpgate(new_folder(), {})
    assert otpgate.run("keys", "init").returncode == 0
    otpgate.process.command[2:2] = ["--migrate"]
    otpgate.start()
    assert "applied sqlite/0001_first_login.sql" in otpgate.log()
    otpgate.stop()
