"""Settings are read anew, processes die and are replaced, and nobody who signs in meanwhile notices."""
import contextlib
import itertools
import os
import pathlib
import re
import signal
import threading

import pytest

from support import ports
from support.otpgate import ROOT, Otpgate
from support.systemd import Systemd

pytestmark = pytest.mark.one_process

_numbers = itertools.count(1)


class Visitors:
    """People who sign in, one login after the other each, while the body of the `with` runs. What failed is in `failures`."""

    def __init__(self, site, count=4):
        self.site = site
        self.failures = []
        self.logins = 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def _run(self):
        while not self._is_over.is_set():
            number = next(_numbers)
            try:
                self.site.login(f"visitor-{number}@example.com", client_ip=f"10.{number // 250 % 250}.{number % 250}.1")
                with self._lock:
                    self.logins += 1
            except Exception as error:  # an answer that is no 200, or none
                with self._lock:
                    self.failures.append(repr(error))

    def wait_for(self, logins):
        """So many more."""
        before = self.logins
        ports.wait_until(lambda: self.logins >= before + logins, 60, f"{logins} more logins")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.wait_for(5)
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()


def reload(site, expected="settings read anew"):
    site.otpgate.write_config()
    return site.otpgate.reload(expected)


def children_of(pid):
    """Those that run."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if entry.name.isdigit():
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return found


def test_settings_are_read_anew_without_losing_a_request(make_site):
    site = make_site("sqlite", page_name="Before")
    pid = site.otpgate.process.pid
    with Visitors(site) as visitors:
        for name in ("One", "Two", "Three"):
            site.settings["page.name"] = name
            reload(site)
            assert site.get("/api/v1/page").json()["name"] == name
            visitors.wait_for(5)
    assert visitors.failures == []
    assert site.otpgate.process.pid == pid and site.otpgate.process.is_running()


def test_wrong_settings_leave_everything_as_it_was(make_site):
    site = make_site("sqlite", page_name="Before")
    site.settings["page.name"] = "After"
    with Visitors(site) as visitors:
        for name, value, complaint in (
            ("otp.length", "99", "otp.length"),
            ("no.such", "1", "unknown setting"),
            ("keys.master_file", "/no/such/file", "/no/such/file"),
            ("database.url", "sqlite:/no/such/folder/otpgate.db", "/no/such/folder"),
            ("templates.directory", "/no/such/templates", "/no/such/templates"),
        ):
            before = site.settings.get(name)
            site.settings[name] = value
            assert complaint in reload(site, "settings unchanged")
            assert site.get("/api/v1/page").json()["name"] == "Before"
            del site.settings[name]
            if before is not None:
                site.settings[name] = before
        visitors.wait_for(5)
        reload(site)
    assert visitors.failures == []
    assert site.get("/api/v1/page").json()["name"] == "After"


def test_what_waits_for_a_restart_is_said(make_site):
    site = make_site("sqlite")
    listen = site.settings["server.listen"]
    site.settings["server.listen"] = f"{listen}.other"
    site.settings["server.processes"] = 2
    log = reload(site)
    assert 'setting unchanged until a restart setting=server.listen' in log
    assert 'setting unchanged until a restart setting=server.processes' in log
    site.login("ann@example.com")


def test_deliver_reads_its_settings_anew(make_site):
    site = make_site("sqlite", delivery_mode="outbox")
    deliverer = site.otpgate.deliverer().start()
    deliverer.process.signal(signal.SIGHUP)
    ports.wait_until(lambda: "settings read anew" in deliverer.log(), 20, "settings read anew")
    site.login("ann@example.com")
    assert deliverer.stop() == 0


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_systemd_holds_the_socket_while_the_service_restarts(make_site, processes):
    site = make_site("sqlite", start=False, server_processes=processes)
    site.otpgate.prepare()
    systemd = Systemd(site.otpgate, watchdog_seconds=2)
    site.otpgate.start()
    site.web.start()
    with Visitors(site) as visitors:
        ports.wait_until(lambda: "WATCHDOG=1" in systemd.said(), 20, "a sign of life")
        assert systemd.said()[0] == "READY=1"
        for starts in (2, 3):
            site.otpgate.restart()
            visitors.wait_for(5)
            # One of several processes answers before all are ready.
            ports.wait_until(lambda: systemd.said().count("READY=1") == starts, 20, "ready once more")
    assert visitors.failures == []
    assert systemd.said().count("STOPPING=1") == 2
    reload(site)
    ports.wait_until(lambda: systemd.said().count("READY=1") == 4, 20, "ready again")
    said = systemd.said()
    assert said.count("RELOADING=1") == 1 and said.index("RELOADING=1") < len(said) - said[::-1].index("READY=1")
    systemd.close()


def test_two_are_restarted_one_after_the_other_behind_nginx(make_site):
    """Each with a socket of its own, as on two hosts, by the line that etc/nginx/otpgate.conf has for one."""
    site = make_site("sqlite", web="nginx", start=False)
    site.otpgate.prepare()
    second = Otpgate(site.folder / "second", {**site.settings, "server.listen": f"unix:{site.folder}/second.sock"})
    shipped = (ROOT / "etc/nginx/otpgate.conf").read_text()
    options = re.search(r"^ *server unix:/run/otpgate/otpgate.sock(.*);", shipped, re.MULTILINE)[1]
    config = site.web.config.read_text()
    only = f'server "unix:{site.otpgate.socket}";'
    assert only in config
    both = " ".join(f'server "{one.settings["server.listen"]}"{options};' for one in (site.otpgate, second))
    site.web.config.write_text(config.replace(only, both))
    site.otpgate.start()
    second.start()
    try:
        site.web.start()
        with Visitors(site) as visitors:
            for _ in range(2):
                for one in (site.otpgate, second):
                    one.restart()
                    visitors.wait_for(3)
        assert visitors.failures == []
    finally:
        second.stop()


def test_another_socket_than_systemds_is_named(make_site):
    site = make_site("sqlite", start=False)
    site.otpgate.prepare()
    systemd = Systemd(site.otpgate)
    site.settings["server.listen"] += ".other"
    site.otpgate.write_config()
    site.otpgate.start()
    assert "systemd's socket is not used" in site.otpgate.log()
    assert site.otpgate.stop() == 0
    systemd.close()


def test_a_process_of_several_that_is_killed_takes_down_only_what_was_in_it(make_site):
    site = make_site("sqlite", server_processes=3, server_threads=4)
    master = site.otpgate.process.pid
    ports.wait_until(lambda: "all processes are ready" in site.otpgate.log(), 20, "all ready")
    workers = children_of(master)
    assert len(workers) == 3
    with Visitors(site) as visitors:
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            ports.wait_until(lambda: len(children_of(master)) == 3, 20, "another in its place")
            visitors.wait_for(5)
    # Each of four visitors has one request on its way at most, for which nginx says 502, or a message, which comes when the
    # lease of the killed process is over: too late for him.
    assert len(visitors.failures) <= 4 * len(workers), visitors.failures
    # Nobody is lost by a process that is asked to leave, or by fewer of them.
    with Visitors(site) as visitors:
        os.kill(children_of(master)[0], signal.SIGTERM)
        ports.wait_until(lambda: len(children_of(master)) == 3, 20, "another in its place")
        site.settings["page.name"] = "Reloaded"
        site.settings["server.processes"] = 2
        reload(site)
        ports.wait_until(lambda: len(children_of(master)) == 2, 30, "two are left")
        visitors.wait_for(10)
        assert visitors.failures == []
        ports.wait_until(lambda: {site.get("/api/v1/page").json()["name"] for _ in range(8)} == {"Reloaded"}, 20, "both follow")
    left = children_of(master)
    assert site.otpgate.stop() == 0
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in left)
    assert not site.otpgate.socket.exists()


def test_several_processes_say_why_they_cannot_start(make_site):
    site = make_site("sqlite", start=False, server_processes=2)
    site.otpgate.prepare()
    site.settings["templates.directory"] = "/no/such/templates"
    site.otpgate.write_config()
    done = site.otpgate.run("serve")
    assert done.returncode == 2
    assert "/no/such/templates" in done.stderr


def test_processes_end_with_their_master(make_site):
    site = make_site("sqlite", server_processes=2)
    workers = children_of(site.otpgate.process.pid)
    site.otpgate.kill()
    ports.wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers), 20, "they have ended")


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_a_newer_schema_that_only_adds_serves_an_older_server(make_site, engine):
    site = make_site(engine)
    site.login("before@example.com")
    site.sql("ALTER TABLE users ADD COLUMN nickname VARCHAR(100) NULL")
    site.sql("INSERT INTO schema_migrations (version, checksum, applied_at_us)"
             f" VALUES ('9001_nicknames_serves_0007', '{'0' * 64}', 1)")
    site.otpgate.stop()
    assert site.otpgate.run("migrate").returncode == 0
    site.otpgate.start()
    site.login("after@example.com")
    assert site.otpgate.run("health").returncode == 0
    # One that takes something away says so by not saying the other thing.
    site.sql(f"INSERT INTO schema_migrations (version, checksum, applied_at_us) VALUES ('9002_no_users', '{'0' * 64}', 1)")
    done = site.otpgate.run("migrate")
    assert done.returncode == 2 and "9002_no_users" in done.stderr
    site.sql("DELETE FROM schema_migrations WHERE version = '9002_no_users'")
