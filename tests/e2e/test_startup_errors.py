"""A start that cannot succeed says why in one line that names the culprit, and leaves nothing behind."""
import concurrent.futures
import os
import signal
import socket
import time

import pytest

from support import ports
from support.otpgate import Otpgate


@pytest.fixture
def otpgate(new_folder):
    """Prepared, not started."""
    return Otpgate(new_folder(), {}).prepare()


def failed_start(otpgate, code, *named):
    """`serve` ends by itself with this exit code, and its last line, the only one about it, names all of `named`."""
    done = otpgate.run("serve", timeout=20)
    assert done.returncode == code, (done.returncode, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert lines, "nothing was said"
    for name in named:
        assert str(name) in lines[-1], done.stderr
    assert "terminate called" not in done.stderr
    assert not otpgate.socket.exists()
    return lines


def test_a_misspelt_setting_is_named(otpgate):
    otpgate.settings["otp.lenght"] = "6"
    otpgate.write_config()

    lines = failed_start(otpgate, 2, "otp.lenght", otpgate.config.name)

    assert len(lines) == 1


def test_a_misspelt_setting_of_the_environment_is_named(otpgate):
    otpgate.env["OTPGATE_OTP_LENGHT"] = "6"

    assert len(failed_start(otpgate, 2, "OTPGATE_OTP_LENGHT")) == 1


@pytest.mark.parametrize(
    "key,value",
    [("otp.length", "3"), ("otp.length", "six"), ("server.threads", "0"), ("tokens.access_lifetime", "15"),
     ("limits.request_per_destination", "5 an hour"), ("mail.transport", "pigeon"), ("environment", "prod"),
     ("server.listen", "nowhere"), ("server.trusted_proxies", "127.0.0.1, 300.1.1.1"), ("database.url", "oracle:x"),
     ("server.socket_mode", "999"), ("log.level", "loud"), ("mail.from", "nobody")],
    ids=lambda text: text,
)
def test_an_impossible_value_is_named(otpgate, key, value):
    otpgate.settings[key] = value
    otpgate.write_config()

    assert len(failed_start(otpgate, 2, key)) == 1


def test_a_fixed_code_is_refused_outside_of_development(otpgate):
    otpgate.settings.update({"environment": "production", "otp.fixed_code": "123456"})
    otpgate.write_config()

    assert len(failed_start(otpgate, 2, "otp.fixed_code")) == 1


def test_a_missing_settings_file_is_named(otpgate):
    otpgate.config.unlink()

    assert len(failed_start(otpgate, 2, otpgate.config)) == 1


def test_a_missing_key_file_is_named(otpgate):
    (otpgate.folder / "master.key").unlink()

    assert len(failed_start(otpgate, 2, otpgate.folder / "master.key")) == 1


def test_an_unreadable_key_file_is_named(otpgate):
    # A folder: unreadable for root too.
    key = otpgate.folder / "master.key"
    key.unlink()
    key.mkdir()

    assert len(failed_start(otpgate, 2, key)) == 1


def test_a_damaged_key_file_is_named(otpgate):
    (otpgate.folder / "master.key").write_text("this is no key\n")

    assert len(failed_start(otpgate, 2, otpgate.folder / "master.key")) == 1


def test_a_key_file_that_others_may_read_is_named(otpgate):
    (otpgate.folder / "master.key").chmod(0o644)

    assert len(failed_start(otpgate, 2, otpgate.folder / "master.key")) == 1


def test_keys_init_makes_a_private_file_and_replaces_none(otpgate):
    key = otpgate.folder / "master.key"
    assert key.stat().st_mode & 0o777 == 0o600
    content = key.read_bytes()

    again = otpgate.run("keys", "init")
    assert again.returncode != 0
    assert str(key) in again.stderr
    assert otpgate.run("keys", "init", "--if-missing").returncode == 0

    assert key.read_bytes() == content


def test_a_tcp_port_in_use_is_named(otpgate):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        otpgate.settings["server.listen"] = address
        otpgate.write_config()

        failed_start(otpgate, 2, address, "in use")


def test_a_unix_socket_in_use_is_named_and_left_to_its_owner(otpgate):
    otpgate.start()
    try:
        second = otpgate.run("serve", timeout=20)
        assert second.returncode == 2
        assert str(otpgate.socket) in second.stderr.strip().splitlines()[-1]
        assert otpgate.socket.exists()
        assert otpgate.process.is_running()
    finally:
        assert otpgate.stop() == 0


def test_a_socket_file_of_a_dead_process_is_replaced(otpgate):
    otpgate.start()
    otpgate.kill()
    assert otpgate.socket.exists()

    otpgate.start()

    assert otpgate.stop() == 0
    assert not otpgate.socket.exists()


def test_a_socket_in_a_folder_that_is_not_there_is_named(otpgate):
    otpgate.settings["server.listen"] = "unix:/nonexistent/otpgate.sock"
    otpgate.write_config()

    failed_start(otpgate, 2, "/nonexistent/otpgate.sock")


def test_a_database_that_refuses_is_named(otpgate):
    port = ports.free_port()
    otpgate.settings["database.url"] = f"mysql://otpgate@127.0.0.1:{port}/otpgate"
    otpgate.write_config()

    failed_start(otpgate, 1, f"127.0.0.1:{port}")
    migrating = otpgate.run("migrate")
    assert migrating.returncode == 1
    assert f"127.0.0.1:{port}" in migrating.stderr.strip().splitlines()[-1]


def test_a_database_that_refuses_the_password_is_named_without_it(otpgate, mysql):
    otpgate.settings["database.url"] = mysql.url("otpgate_nobody")
    otpgate.settings["database.password"] = "not-the-password"
    otpgate.write_config()

    lines = failed_start(otpgate, 1, f"127.0.0.1:{mysql.port}")

    assert not any("not-the-password" in line for line in lines)


def test_a_database_file_in_a_folder_that_is_not_there_is_named(otpgate):
    otpgate.settings["database.url"] = "sqlite:/nonexistent/otpgate.db"
    otpgate.write_config()

    failed_start(otpgate, 1, "/nonexistent/otpgate.db")


def test_a_database_that_was_not_migrated_is_said_to_be_so(new_folder):
    otpgate = Otpgate(new_folder(), {})
    assert otpgate.run("keys", "init").returncode == 0

    failed_start(otpgate, 1, "otpgate migrate")


def test_check_config_reads_everything_and_starts_nothing(otpgate):
    assert otpgate.run("check-config").returncode == 0
    assert not otpgate.socket.exists()

    otpgate.settings["otp.length"] = "11"
    otpgate.write_config()
    bad = otpgate.run("check-config")
    assert bad.returncode == 2
    assert "otp.length" in bad.stderr


def test_the_environment_wins_over_the_file(otpgate):
    otpgate.env["OTPGATE_OTP_LENGTH"] = "11"

    assert len(failed_start(otpgate, 2, "OTPGATE_OTP_LENGTH")) == 1


def test_an_unknown_subcommand_is_a_usage_error(otpgate):
    assert otpgate.run("dance").returncode == 2


def test_version_and_help_need_no_settings(otpgate):
    otpgate.config.unlink()
    version = otpgate.run("version")
    assert version.returncode == 0
    assert version.stdout.strip()


def test_health_says_by_its_exit_code_whether_otpgate_answers(otpgate):
    assert otpgate.run("health").returncode == 1
    otpgate.start()
    try:
        assert otpgate.run("health").returncode == 0
    finally:
        otpgate.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0_and_without_its_socket(otpgate, number):
    otpgate.start()
    otpgate.process.signal(number)

    assert otpgate.process.popen.wait(10) == 0
    assert not otpgate.socket.exists()


def test_sigterm_answers_what_is_in_flight(make_site, own_mariadb, address):
    site = make_site("mysql", mysql=own_mariadb.address, database_connect_timeout="10s",
                     database_answer_timeout="10s")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        own_mariadb.pause()
        try:
            answer = pool.submit(site.post, "/api/v1/auth/otp/request", {"destination": address})
            time.sleep(0.5)
            assert not answer.done()
            site.otpgate.process.signal(signal.SIGTERM)
            time.sleep(0.5)
            assert site.otpgate.process.is_running()
        finally:
            own_mariadb.resume()
        assert answer.result().status_code == 202

    assert site.otpgate.process.popen.wait(10) == 0
    assert not os.path.exists(site.otpgate.socket)


@pytest.mark.one_process  # what mod_fcgid starts hands nothing over: its mails wait in the outbox for whoever delivers
def test_a_mail_handed_over_before_sigterm_is_still_sent(make_site, address, engine):
    site = make_site(engine)
    for number in range(20):
        assert site.post("/api/v1/auth/otp/request", {"destination": f"{number}-{address}"}).status_code == 202

    assert site.otpgate.stop() == 0

    for number in range(20):
        assert site.mailbox.wait_for(f"{number}-{address}", timeout=1)
