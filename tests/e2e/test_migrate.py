"""`otpgate migrate` may be killed at any time: the next one finishes what it left."""
import random
import subprocess
import time

from support.otpgate import BINARY, Otpgate
from support.process import Process


def tables(address, database):
    return [row[0] for row in address.sql(
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}' ORDER BY table_name")]


def schema(address, database):
    """How each table stands there, and which migrations are recorded."""
    found = {name: address.sql(f"SHOW CREATE TABLE {name}", database) for name in tables(address, database)}
    found["recorded"] = address.sql("SELECT version, checksum FROM schema_migrations ORDER BY version", database)
    return found


def test_a_migration_that_is_killed_again_and_again_ends_as_one_that_was_not(own_mariadb, new_folder):
    address = own_mariadb.address

    def otpgate_of(database):
        address.recreate(database)
        return Otpgate(new_folder(), {"database.url": address.url(database), "database.password": address.password})

    begin = time.monotonic()
    whole = otpgate_of("otpgate_whole").run("migrate")
    duration = time.monotonic() - begin
    assert whole.returncode == 0, whole.stderr
    expected = schema(address, "otpgate_whole")

    chance = random.Random(1)
    half_done = 0
    # Until kills have hit something; on any machine the first few databases are enough.
    for number in range(50):
        database = f"otpgate_killed_{number}"
        otpgate = otpgate_of(database)
        process = Process("otpgate migrate", [BINARY, "migrate", "--config", otpgate.config],
                          otpgate.folder / "migrate.log", otpgate.env)
        kills = 0
        while True:
            begin = time.monotonic()
            process.start()
            try:
                # Longer from time to time, so that a machine which becomes slow does not keep it from ending.
                code = process.popen.wait(chance.uniform(0, duration * (1 + kills / 10)))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                half_done += 1 < len(tables(address, database)) < len(expected) - 1
        assert code == 0, process.log_text()
        if kills == 0:
            # The first one may have been measured while the machine was busy.
            duration = min(duration, time.monotonic() - begin)
        assert schema(address, database) == expected
        address.drop(database)
        if number >= 4 and half_done >= 5:
            break
    assert half_done >= 5
