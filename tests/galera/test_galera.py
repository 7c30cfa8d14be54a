"""What must hold on three Galera nodes, with one otpgate a node that each begin with their own."""
import collections
import concurrent.futures
import contextlib
import random
import subprocess
import threading
import time

import pytest
from support import ports
from support.mailbox import code_in, holds_code, parse, recipient_of
from support.otpgate import Otpgate

REQUEST = "/api/v1/auth/otp/request"
VERIFY = "/api/v1/auth/otp/verify"
REFRESH = "/api/v1/auth/token/refresh"
ME = "/api/v1/auth/me"

# As by default: so long a silent node is waited for.
SOON = {"database.answer_timeout": "1s"}


def at_once(count, function, threads=None):
    """function(0) ... function(count - 1); all let go at the same moment where there is a thread for each."""
    barrier = threading.Barrier(count) if threads is None else None

    def run(number):
        if barrier:
            barrier.wait()
        return function(number)

    with concurrent.futures.ThreadPoolExecutor(threads or count) as pool:
        return list(pool.map(run, range(count)))


def outcomes(answers):
    return collections.Counter("ok" if a.status_code < 300 else a.json()["code"] for a in answers)


class Codes:
    """Codes of many addresses at once: each message is read once, for all who wait."""

    def __init__(self, mailbox):
        self._directory = mailbox.directory
        self._lock = threading.Lock()
        self._read = set()
        self._codes = {}

    def wait_for(self, address, timeout=40):
        def find():
            with self._lock:
                for path in set(self._directory.glob("*.eml")) - self._read:
                    self._read.add(path)
                    message = parse(path.read_bytes())
                    if holds_code(message):
                        self._codes[recipient_of(message)] = code_in(message)
                return self._codes.get(address)

        return ports.wait_until(find, timeout, f"a code to {address}", interval=0.05)


def login(site, codes, address, nodes):
    """A whole login, each call at another node of `nodes`: the problems that there were."""
    problems = []

    def call(number, method, path, expected, **options):
        answer = site.request(method, path, at=nodes[number % len(nodes)], **options)
        if answer.status_code != expected:
            problems.append((path, answer.status_code, answer.text[:200]))
        return answer

    asked = call(0, "POST", REQUEST, 202, body={"destination": address})
    if problems:
        return problems
    signed = call(1, "POST", VERIFY, 200, body={"otp_id": asked.json()["otp_id"], "otp": codes.wait_for(address)})
    if problems:
        return problems
    call(2, "GET", ME, 200, token=signed.json()["access"])
    renewed = call(3, "POST", REFRESH, 200, body={"refresh": signed.json()["refresh"]})
    if problems:
        return problems
    call(4, "GET", ME, 200, token=renewed.json()["access"])
    return problems


def test_of_1000_logins_that_change_node_at_every_call_none_fails(make_site, new_address):
    site = make_site()
    codes = Codes(site.mailbox)
    addresses = [new_address() for _ in range(1000)]
    order = random.Random(7)
    ways = [order.sample(range(3), 3) for _ in addresses]

    begin = time.monotonic()
    problems = at_once(len(addresses), lambda n: login(site, codes, addresses[n], ways[n]), threads=12)

    print(f"1000 logins of five calls in {time.monotonic() - begin:.1f} s")
    assert [each for each in problems if each] == []


def test_what_was_ended_at_one_node_is_ended_at_the_others(make_site, new_address):
    site = make_site()
    codes = Codes(site.mailbox)
    for number in range(30):
        address = new_address()
        here, there = number % 3, (number + 1) % 3
        asked = site.post(REQUEST, {"destination": address}, at=here).json()
        signed = site.post(VERIFY, {"otp_id": asked["otp_id"], "otp": codes.wait_for(address)}, at=here).json()
        assert site.post("/api/v1/auth/logout-all", {}, at=here, token=signed["access"]).status_code == 204
        assert site.get(ME, at=there, token=signed["access"]).status_code == 401


def test_limits_are_exact_over_three_nodes(make_site, new_address):
    site = make_site(**{"limits.request_per_client": "30/1h"})
    address = new_address()

    answers = at_once(48, lambda n: site.post(REQUEST, {"destination": address}, at=n % 3, client_ip=f"198.51.100.{n}"))
    assert outcomes(answers) == {"ok": 5, "RATE_LIMIT": 43}

    people = [new_address() for _ in range(48)]
    answers = at_once(48, lambda n: site.post(REQUEST, {"destination": people[n]}, at=n % 3, client_ip="192.0.2.7"))
    assert outcomes(answers) == {"ok": 30, "RATE_LIMIT": 18}


def test_a_hot_bucket_is_no_503(make_site, new_address):
    site = make_site(**{"limits.request_per_client": "1000/1h"})
    answers = []
    for _ in range(5):
        people = [new_address() for _ in range(48)]
        answers += at_once(48, lambda n: site.post(REQUEST, {"destination": people[n]}, at=n % 3, client_ip="192.0.2.8"))
    assert outcomes(answers) == {"ok": 240}
    hits = site.sql("SELECT MAX(LENGTH(hits)) / 8 FROM rate_limits")
    assert float(hits[0][0]) == 240
    # Of who lost at first nothing was left: as many codes as answers, and no message without a code.
    assert site.sql("SELECT COUNT(*) FROM otp_requests") == [["240"]]
    assert site.sql("SELECT COUNT(*) FROM outbox WHERE otp_id NOT IN (SELECT id FROM otp_requests)") == [["0"]]


def test_of_16_verifies_over_three_nodes_one_wins(make_site, new_address):
    site = make_site()
    codes = Codes(site.mailbox)
    for _ in range(5):
        address = new_address()
        otp_id = site.post(REQUEST, {"destination": address}, at=0).json()["otp_id"]
        code = codes.wait_for(address)
        found = outcomes(at_once(16, lambda n: site.post(VERIFY, {"otp_id": otp_id, "otp": code}, at=n % 3)))
        assert found["ok"] == 1, found
        assert set(found) <= {"ok", "OTP_USED", "MAX_RETRIES_EXCEEDED"}


def test_16_wrong_guesses_over_three_nodes_are_compared_three_times(make_site, new_address):
    site = make_site(**{"limits.guesses_per_destination": "10/1h"})
    codes = Codes(site.mailbox)
    address = new_address()
    otp_id = site.post(REQUEST, {"destination": address}, at=0).json()["otp_id"]
    wrong = str((int(codes.wait_for(address)) + 1) % 10**6).zfill(6)
    found = outcomes(at_once(16, lambda n: site.post(VERIFY, {"otp_id": otp_id, "otp": wrong}, at=n % 3)))
    assert found == {"INVALID_OTP": 3, "MAX_RETRIES_EXCEEDED": 13}


class Load:
    """Clients that sign in one after another, each call at whichever otpgate nginx chooses, until they are stopped. Keeps what was
    acknowledged, and every call with its time and status."""

    def __init__(self, site, new_address, clients=8, choose=lambda number, call: None):
        self.site = site
        self.codes = Codes(site.mailbox)
        self.new_address = new_address
        self.choose = choose
        self.calls = []  # (begin, seconds, path, status, body)
        self.requested = []  # (otp_id, address)
        self.sessions = []
        self.unfinished = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _call(self, number, path, expected, **options):
        """Tries again after a 503, as it says; the answer, or None when it is something else."""
        for _ in range(40):
            begin = time.time()
            try:
                answer = self.site.request("POST", path, at=self.choose(number, len(self.calls)), **options)
                status, body = answer.status_code, answer.text
            except ConnectionError:
                status, body = 0, ""
            self.calls.append((begin, time.time() - begin, path, status, body[:300]))
            if status == expected:
                return answer.json()
            if status != 503:
                return None
            time.sleep(0.5)
        return None

    def _run(self, number):
        while not self.stop.is_set():
            address = self.new_address()
            asked = self._call(number, REQUEST, 202, body={"destination": address}, client_ip=f"203.0.113.{number}")
            if not asked:
                self.unfinished.append((REQUEST, address))
                continue
            self.requested.append((asked["otp_id"], address))
            try:
                code = self.codes.wait_for(address)
            except TimeoutError:
                self.unfinished.append(("no mail", address))
                continue
            signed = self._call(number, VERIFY, 200, body={"otp_id": asked["otp_id"], "otp": code},
                                client_ip=f"203.0.113.{number}")
            if not signed:
                self.unfinished.append((VERIFY, address))
                continue
            self.sessions.append(signed["session_id"])
            if not self._call(number, REFRESH, 200, body={"refresh": signed["refresh"]}):
                self.unfinished.append((REFRESH, address))

    def statuses(self):
        return collections.Counter(status for _, _, _, status, _ in self.calls)

    def longest_outage(self, since):
        """Seconds from the first to the last answer of 503 after `since`."""
        bad = [begin + seconds for begin, seconds, _, status, _ in self.calls if status == 503 and begin + seconds >= since]
        return max(bad) - since if bad else 0.0

    def lost(self):
        """What was acknowledged and is not there."""
        def missing(table, ids):
            there = {row[0] for row in self.site.sql(f"SELECT LOWER(HEX(id)) FROM {table}")}
            return [one for one in ids if one.replace("-", "") not in there]

        return missing("otp_requests", [one for one, _ in self.requested]) + missing("sessions", self.sessions)

    def mailed_twice(self):
        codes = collections.Counter((recipient_of(m), code_in(m)) for m in self.site.mailbox.messages() if holds_code(m))
        return [each for each, count in codes.items() if count > 1]


def freeze_of(cluster, killed, since):
    """How long the cluster itself stood still: until another node takes a write again."""
    node = cluster.nodes[(killed + 1) % 3]
    while True:
        try:
            node.root.sql("CREATE TABLE IF NOT EXISTS test_freeze.t (id BIGINT PRIMARY KEY) ENGINE = InnoDB;"
                          "REPLACE INTO test_freeze.t VALUES (1)")
            return time.time() - since
        except RuntimeError:
            time.sleep(0.02)


@pytest.mark.parametrize("killed", [0, 2])
def test_a_node_that_is_killed_and_comes_back_loses_nothing(make_site, nodes, new_address, killed):
    site = make_site(**SOON)
    nodes.nodes[0].root.sql("CREATE DATABASE IF NOT EXISTS test_freeze")
    with Load(site, new_address) as load:
        time.sleep(3)
        gone = time.time()
        nodes.nodes[killed].kill()
        freeze = freeze_of(nodes, killed, gone)
        time.sleep(4)
        nodes.nodes[killed].start()
        time.sleep(8)
    outage = load.longest_outage(gone)
    print(f"{len(load.sessions)} logins, {dict(load.statuses())}; the cluster stood still for {freeze:.1f} s, "
          f"the last 503 came after {outage:.1f} s")
    assert set(load.statuses()) <= {200, 202, 503}
    assert load.unfinished == []
    assert load.lost() == []
    # So long are leases, after which a message that a crash left would come again.
    time.sleep(1)
    assert load.mailed_twice() == []
    assert outage <= freeze + 2
    assert len(load.sessions) > 50
    for process in site.processes:
        process.process.require_running()


def test_a_rolling_restart_of_the_nodes_costs_no_login(make_site, nodes, new_address):
    site = make_site(**SOON)
    with Load(site, new_address, clients=6) as load:
        time.sleep(2)
        for number in range(3):
            nodes.restart(number)
            time.sleep(6)
    print(f"{len(load.sessions)} logins, {dict(load.statuses())}")
    assert load.unfinished == []
    assert load.lost() == []
    assert load.mailed_twice() == []
    # What was under way at a node that stops, and nothing else.
    assert load.statuses()[503] <= 3 * 6
    assert set(load.statuses()) <= {200, 202, 503}


def host_of(site, number):
    return site.get("/health/ready", at=number, client_ip="127.0.0.1").json().get("database_host")


@pytest.mark.parametrize(("go", "come_back"), [("stop", "start"), ("pause", "resume"), ("desync", "sync")])
def test_the_next_host_is_used_while_the_first_is_away(make_site, nodes, new_address, go, come_back):
    site = make_site(**SOON)
    first = f"127.0.0.1:{nodes.nodes[1].port}"
    assert host_of(site, 1) == first
    node = nodes.nodes[1]
    getattr(node, go)()
    try:
        answers = []
        for _ in range(20):
            answers.append(site.post(REQUEST, {"destination": new_address()}, at=1).status_code)
        # Those that meet the silent host first may fail; a host that says no costs nothing.
        assert answers.count(202) >= (18 if go == "pause" else 20), answers
        # While a silent node is not thrown out, the others stand still as well.
        ports.wait_until(lambda: host_of(site, 1) not in (None, first), 10, "the next host is used")
        assert "another host of the database is used" in site.processes[1].log()
    finally:
        getattr(node, come_back)()
    nodes.heal()
    ports.wait_until(lambda: host_of(site, 1) == first, 30, "the first host is used again", interval=0.5)
    assert site.post(REQUEST, {"destination": new_address()}, at=1).status_code == 202


def test_processes_are_restarted_behind_nginx_without_a_failed_request(make_site, new_address):
    site = make_site()
    with Load(site, new_address, clients=8) as load:
        time.sleep(1)
        # Well within nginx's fail_timeout of 10 s, twice around.
        for _ in range(2):
            for process in site.processes:
                process.restart()
    print(f"{len(load.sessions)} logins, {dict(load.statuses())}")
    assert set(load.statuses()) == {200, 202}
    assert load.unfinished == []


def test_three_migrate_at_once_each_step_once(nodes, folder):
    nodes.recreate("otpgate_galera_migrate")
    sites = migrators(nodes, folder / "migrators", "otpgate_galera_migrate")
    for _ in range(3):
        nodes.recreate("otpgate_galera_migrate")
        done = at_once(3, lambda n: sites[n].run("migrate", timeout=120))
        for each in done:
            assert each.returncode == 0, each.stderr + each.stdout
        applied = [line for each in done for line in each.stdout.splitlines() if line.startswith("applied")]
        assert len(applied) == len(set(applied)) > 5
        assert all(site.run("migrate").stdout.endswith("is up to date, 0 applied\n") for site in sites)


def migrators(nodes, folder, database):
    return [
        Otpgate(folder / str(n), {"database.url": node.address.tcp_url(database), "database.password": node.address.password})
        for n, node in enumerate(nodes.nodes)
    ]


def test_a_migrator_killed_in_the_middle_is_finished_by_the_others(nodes, folder):
    database = "otpgate_galera_killed"
    sites = migrators(nodes, folder / "killed", database)
    reference = "otpgate_galera_reference"
    nodes.recreate(reference)
    assert migrators(nodes, folder / "reference", reference)[0].run("migrate").returncode == 0
    for steps in (3, 12, 22):
        nodes.recreate(database)
        migrator = subprocess.Popen([sites[0].binary, "migrate", "--config", sites[0].config], env=sites[0].env,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(TimeoutError):
            ports.wait_until(lambda: steps_taken(nodes, database) >= steps, 20, "some steps are taken", interval=0.001)
        migrator.kill()
        migrator.wait()
        done = at_once(2, lambda n: sites[n + 1].run("migrate", timeout=120))
        for each in done:
            assert each.returncode == 0, each.stderr + each.stdout
        assert schema_of(nodes, database) == schema_of(nodes, reference)


def steps_taken(nodes, database):
    try:
        return int(nodes.nodes[0].address.sql("SELECT steps FROM schema_migrators", database)[0][0])
    except (RuntimeError, IndexError):
        return 0


def schema_of(nodes, database):
    return nodes.sql(
        "SELECT table_name, column_name, column_type, column_default FROM information_schema.columns"
        f" WHERE table_schema = '{database}' ORDER BY 1, 2;"
        " SELECT version, checksum FROM schema_migrations ORDER BY 1", database)
