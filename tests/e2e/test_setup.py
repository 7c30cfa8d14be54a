"""otpgate setup: from the shipped files to a login page, by flags or by questions, as often as one likes."""
import dataclasses
import os
import pathlib
import pty
import re
import shutil
import subprocess

import pytest

from support.certificates import Authority
from support.otpgate import BINARY, environment
from support.smtp_server import SmtpServer

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Host:
    """The files of a fresh installation."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.share = folder / "share"
        for name in ("nginx", "apache"):
            shutil.copytree(ROOT / "etc" / name, self.share / name)
        self.share.joinpath("www").symlink_to(ROOT / "build/www")
        self.config = folder / "otpgate.conf"
        text = (ROOT / "etc/otpgate.conf").read_text()
        for old, new in (("/etc/otpgate/master.key", folder / "master.key"), ("/var/lib/otpgate/otpgate.db", folder / "otpgate.db"),
                         ("/run/otpgate/otpgate.sock", folder / "otpgate.sock")):
            assert f"= {old}" in text or f":{old}" in text
            text = text.replace(str(old), str(new))
        self.config.write_text(text)
        self.config.chmod(0o640)

    def setup(self, *arguments):
        done = subprocess.run([BINARY, "setup", "--share", self.share, *arguments, "--config", self.config], capture_output=True,
                              text=True, env=environment(), stdin=subprocess.DEVNULL, timeout=60, check=False)
        return done

    def otpgate(self, *arguments):
        return subprocess.run([BINARY, *arguments, "--config", self.config], capture_output=True, text=True, env=environment(),
                              stdin=subprocess.DEVNULL, timeout=60, check=False)

    def setting(self, section, name):
        [part] = re.findall(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", self.config.read_text(), re.MULTILINE | re.DOTALL)
        [value] = re.findall(rf"^{name} =(.*)$", part, re.MULTILINE)
        return value.strip()


@pytest.fixture
def host(new_folder):
    return Host(new_folder())


@pytest.fixture
def smtp():
    server = SmtpServer().start()
    yield server
    server.stop()


def web_folder(host, web):
    """What Debian's package puts under /etc/nginx or /etc/apache2, with ports and files of our own."""
    folder = host.folder / web
    for name in ("sites-available", "sites-enabled", "snippets", "mods-available", "mods-enabled"):
        (folder / name).mkdir(parents=True)
    if web == "nginx":
        (folder / "nginx.conf").write_text(
            f'pid "{folder}/pid"; error_log "{folder}/log"; events {{}} http {{ access_log off; include /etc/nginx/mime.types;'
            f' include "{folder}/sites-enabled/*"; }}')
    else:
        (folder / "apache2.conf").write_text(
            f'ServerRoot "{folder}"\nDefaultRuntimeDir "{folder}"\nPidFile "{folder}/pid"\nErrorLog "{folder}/log"\nServerName localhost\n'
            + "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                      for name in "mpm_event authn_core authz_core alias dir mime setenvif reqtimeout".split())
            + "TypesConfig /etc/mime.types\n"
            + f"IncludeOptional {folder}/mods-enabled/*.load\nListen 80\nListen 443\nIncludeOptional {folder}/sites-enabled/*.conf\n")
        for name in "socache_shmcb ssl proxy proxy_fcgi headers unique_id".split():
            (folder / f"mods-available/{name}.load").write_text(
                f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
    return folder


def files_below(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in ("log", "pid")}


@pytest.mark.parametrize("web", ["nginx", "apache"])
def test_by_flags_alone(host, smtp, web):
    folder = web_folder(host, web)
    authority = Authority(host.folder / "authority")
    flags = ["--public-url", "login.example.org", "--mail-from", "Example <no-reply@example.org>", "--smtp", f"127.0.0.1:{smtp.port}",
             "--mail-to", "ann@example.org", "--admin", "ann@example.org", "--web", web, "--web-folder", folder,
             "--certificate", authority.certificate_file, "--certificate-key", authority.key_file]

    done = host.setup(*flags)

    assert done.returncode == 0, done.stdout + done.stderr
    assert host.setting("server", "public_url") == "https://login.example.org"
    assert (host.setting("mail", "smtp_port"), host.setting("mail", "from")) == (str(smtp.port), "Example <no-reply@example.org>")
    assert host.setting("server", "socket_group") == "www-data"
    assert len(smtp.received) == 1 and "sent a test message" in done.stdout
    assert '"role":"admin"' in host.otpgate("user", "show", "ann@example.org", "--json").stdout.replace(" ", "")
    assert (folder / "sites-enabled/otpgate.conf").resolve() == folder / "sites-available/otpgate.conf"
    assert "login.example.org" in (folder / "sites-enabled/otpgate.conf").read_text()
    assert ("systemctl reload nginx" if web == "nginx" else "systemctl restart apache2") in done.stdout
    assert host.config.stat().st_mode & 0o777 == 0o640
    assert host.otpgate("check-config").returncode == 0
    # Once more: nothing is new, and it says so.
    before = files_below(host.folder)
    again = host.setup(*flags)
    assert again.returncode == 0 and "is as it should be" in again.stdout and "ann@example.org is one already" in again.stdout
    after = files_below(host.folder)
    assert {path for path in before if before[path] != after.get(path)} <= {pathlib.Path("otpgate.db"), pathlib.Path("otpgate.db-wal"),
                                                                             pathlib.Path("otpgate.db-shm")}


def test_without_a_word_it_changes_nothing_but_the_key_that_is_missing(host, smtp):
    host.setup("--smtp", f"127.0.0.1:{smtp.port}")
    before = host.config.read_text()
    done = host.setup()
    assert done.returncode == 0 and host.config.read_text() == before, done.stdout
    assert (host.folder / "master.key").exists() and not (host.folder / "otpgate.db").exists()


def test_a_file_that_the_web_server_refuses_is_taken_back(host, smtp):
    folder = web_folder(host, "nginx")
    before = files_below(folder)
    done = host.setup("--smtp", f"127.0.0.1:{smtp.port}", "--web", "nginx", "--web-folder", folder, "--public-url",
                      "https://login.example.org", "--certificate", "/no/such.pem", "--certificate-key", "/no/such.key")
    assert done.returncode == 1 and "nginx refuses the site file" in done.stdout and "/no/such.pem" in done.stdout
    assert files_below(folder) == before


def test_without_a_certificate_it_says_how_to_get_one(host, smtp):
    folder = web_folder(host, "nginx")
    done = host.setup("--smtp", f"127.0.0.1:{smtp.port}", "--web", "nginx", "--web-folder", folder, "--public-url",
                      "https://login.example.org")
    assert done.returncode == 0, done.stdout
    assert "certbot certonly --webroot -w /var/www/html -d login.example.org" in done.stdout
    assert "443" not in (folder / "sites-enabled/otpgate.conf").read_text()


def test_a_port_that_the_site_file_does_not_have_is_named(host, smtp):
    folder = web_folder(host, "nginx")
    flags = ["--smtp", f"127.0.0.1:{smtp.port}", "--web", "nginx", "--web-folder", folder]
    done = host.setup(*flags, "--public-url", "https://login.example.org:8443")
    assert done.returncode == 0 and "names port 8443" in done.stdout
    assert str(folder / "sites-available/otpgate.conf") in done.stdout.partition("names port 8443")[2]
    assert "names port" not in host.setup(*flags, "--public-url", "https://login.example.org").stdout


def test_a_site_file_that_was_edited_is_kept(host, smtp):
    folder = web_folder(host, "nginx")
    site = folder / "sites-available/otpgate.conf"
    site.write_text("# mine\n")
    done = host.setup("--smtp", f"127.0.0.1:{smtp.port}", "--web", "nginx", "--web-folder", folder, "--public-url", "login.example.org")
    assert done.returncode == 0 and site.with_name("otpgate.conf.before-setup").read_text() == "# mine\n"


def test_mysql_is_made_and_users_are_not_left_behind(host, smtp, own_mariadb):
    assert host.setup("--smtp", f"127.0.0.1:{smtp.port}", "--admin", "ann@example.org").returncode == 0
    sqlite = host.setting("database", "url")
    url = f"mysql://otpgate_setup@127.0.0.1:{own_mariadb.port}/gate_1?socket={own_mariadb.socket}"
    flags = ["--mysql", url, "--mysql-admin-url", f"mysql://root@127.0.0.1/mysql?socket={own_mariadb.socket}"]

    done = host.setup(*flags)

    # Made, and not used yet: there is somebody on SQLite.
    assert done.returncode == 0 and "holds 1 users, and is used as before" in done.stdout, done.stdout
    assert host.setting("database", "url") == sqlite
    password = host.folder / "database.password"
    assert password.stat().st_mode & 0o777 == 0o640 and len(password.read_text().strip()) >= 32
    assert password.read_text().strip() not in done.stdout
    [command] = re.findall(r"`otpgate (copy-data [^`]*)`", done.stdout)
    copied = subprocess.run(["bash", "-c", f'"{BINARY}" {command} --config "{host.config}"'], env=environment(), capture_output=True,
                            text=True, timeout=60, check=False)
    assert copied.returncode == 0, copied.stderr
    done = host.setup(*flags)
    assert done.returncode == 0 and "the settings name it" in done.stdout, done.stdout
    assert host.setting("database", "url") == url and host.setting("database", "password_file") == str(password)
    assert "ann@example.org" in host.otpgate("user", "list").stdout
    assert "as the settings say" in host.setup(*flags).stdout
    # It may do all with its own database, and nothing with others: not with gateX1 either.
    own_mariadb.root.sql("CREATE DATABASE gateX1")
    user = dataclasses.replace(own_mariadb.address, user="otpgate_setup", password=password.read_text().strip())
    assert user.sql("SELECT COUNT(*) FROM users", "gate_1") == [["1"]]
    with pytest.raises(RuntimeError, match="Access denied"):
        user.sql("SELECT 1", "gateX1")


def test_mysql_is_made_by_an_administrator_with_a_password(host, own_mariadb):
    own_mariadb.root.sql("CREATE USER hosts_admin@'127.0.0.1' IDENTIFIED BY 'known to few'; GRANT ALL ON *.* TO hosts_admin@'127.0.0.1'"
                         " WITH GRANT OPTION")
    kept = host.folder / "admin.password"
    kept.write_text("known to few\n")
    url = f"mysql://otpgate_setup@127.0.0.1:{own_mariadb.port}/gate_2"
    flags = ["--mysql", url, "--mysql-admin-url", f"mysql://hosts_admin@127.0.0.1:{own_mariadb.port}/mysql"]
    done = host.setup(*flags)
    assert "cannot be made" in done.stdout and host.setting("database", "url") != url
    done = host.setup(*flags, "--mysql-admin-password-file", kept)
    assert "made" in done.stdout and host.setting("database", "url") == url, done.stdout
    assert "known to few" not in done.stdout + host.config.read_text()
    missing = host.setup(*flags, "--mysql-admin-password-file", host.folder / "no such file")
    assert missing.returncode != 0 and "no such file" in missing.stdout + missing.stderr


def test_a_database_that_cannot_be_made(host, smtp):
    assert host.setup("--smtp", f"127.0.0.1:{smtp.port}").returncode == 0
    before = host.setting("database", "url")
    done = host.setup("--mysql", f"mysql://otpgate@127.0.0.1:1/otpgate?socket={host.folder}/no.sock")
    assert done.returncode == 1 and "cannot be made" in done.stdout and "--mysql-admin-url" in done.stdout
    assert host.setting("database", "url") == before


def test_a_mail_server_that_is_not_there(host):
    done = host.setup("--smtp", "127.0.0.1:1")
    assert done.returncode == 1 and "no code leaves by it" in done.stdout


@pytest.mark.parametrize("flags", [["--web", "iis"], ["--public-url", "ftp://x"], ["--admin", "nobody"], ["--mysql", "postgres://x"],
                                   ["--web", "nginx", "--certificate", "/c.pem"], ["--dance"]])
def test_what_is_not_understood_is_named(host, smtp, flags):
    assert host.setup("--smtp", f"127.0.0.1:{smtp.port}").returncode == 0
    done = host.setup(*flags)
    assert done.returncode == 2 and "usage: otpgate setup" in done.stderr


def at_a_terminal(host, answers):
    """Runs setup at a terminal, and gives an answer to each question: (exit code, all that was shown)."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(BINARY, [str(BINARY), "setup", "--share", str(host.share), "--config", str(host.config)], environment())
    shown = b""
    try:
        while True:
            part = os.read(terminal, 4096)
            if not part:
                break
            shown += part
            if answers and shown.decode(errors="replace").rstrip(" ").endswith(":") and shown.endswith(b": "):
                os.write(terminal, (answers.pop(0) + "\n").encode())
    except OSError:
        pass  # the end of a terminal
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(), answers


def test_by_questions(host, smtp):
    code, shown, left = at_a_terminal(host, [
        "https://login.example.net", "", "Net <no-reply@example.net>", f"127.0.0.1:{smtp.port}", "bob@example.net", "bob@example.net",
        ""])
    assert (code, left) == (0, []), shown
    assert "The address of the login page [http://localhost:8080]: " in shown
    assert host.setting("server", "public_url") == "https://login.example.net"
    assert len(smtp.received) == 1 and "bob@example.net" in host.otpgate("user", "list").stdout
