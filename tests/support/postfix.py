"""A private Postfix: configuration, queue and log in one folder, listening on 127.0.0.1 only."""
import os
import pathlib
import pwd
import shutil
import subprocess

from . import ports
from .mailbox import Inbox, parse
from .process import Process

_DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
alias_maps =
alias_database =
myhostname = mail.example.com
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
smtpd_peername_lookup = no

# Everybody at example.com has the same mailbox; for everybody else there is no way.
virtual_mailbox_domains = example.com
virtual_mailbox_base = {folder}/mailboxes
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
default_transport = error:there is no other host
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination

smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = example.com
cyrus_sasl_config_path = {folder}/sasl
"""
_MASTER = """\
127.0.0.1:{submission} inet n - n - - smtpd
    -o smtpd_tls_security_level=encrypt
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{submissions} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{plain} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
sasldb_path: {folder}/sasl/sasldb2
"""


class Postfix(Inbox):
    """Ports: `submission` (STARTTLS and a login), `submissions` (TLS from the first byte and a login), `plain` (neither).

    Only root can start it: its parts change their users.
    """

    def __init__(self, folder, authority, user, password):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.submission, self.submissions, self.plain = (ports.free_port() for _ in range(3))
        self._authority = authority
        self._login = (user, password)
        self._process = Process(
            "postfix", [_DAEMONS / "master", "-c", self.folder, "-d"], self.folder / "master.log",
            env={**os.environ, "MAIL_CONFIG": str(self.folder)},
        )

    def start(self):
        if os.geteuid() != 0:
            raise RuntimeError("Postfix can be started by root alone: run the end-to-end tests as root")
        self._write()
        # It makes what is missing below the queue's folder.
        done = subprocess.run(["postfix", "-c", self.folder, "check"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"postfix check: {done.stderr}{self.log()}")
        self._process.start()

        def ready():
            self._process.require_running()
            return all(ports.is_open(port) for port in (self.submission, self.submissions, self.plain))

        ports.wait_until(ready, 20, "Postfix is ready")
        return self

    def stop(self):
        self._process.stop()

    def log(self):
        path = self.folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def processes(self):
        """The ids of everything that runs with this configuration."""
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if f"MAIL_CONFIG={self.folder}".encode() in environment.split(b"\0"):
                found.append(int(folder.name))
        return found

    def messages(self):
        files = sorted((self.folder / "mailboxes/all/new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [parse(file.read_bytes()) for file in files]

    def _write(self):
        postfix, nobody = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
        for name, owner in (("spool", None), ("data", postfix), ("sasl", None), ("mailboxes/all", nobody)):
            (self.folder / name).mkdir(parents=True)
            if owner:
                shutil.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        (self.folder / "main.cf").write_text(
            _MAIN.format(
                folder=self.folder, uid=nobody.pw_uid, gid=nobody.pw_gid,
                certificate=self._authority.certificate_file, key=self._authority.key_file,
            )
        )
        (self.folder / "master.cf").write_text(
            _MASTER.format(submission=self.submission, submissions=self.submissions, plain=self.plain)
        )
        (self.folder / "sasl/smtpd.conf").write_text(_SASL.format(folder=self.folder))
        user, password = self._login
        database = self.folder / "sasl/sasldb2"
        subprocess.run(
            ["saslpasswd2", "-p", "-c", "-f", database, "-u", "example.com", user], input=password, text=True, check=True
        )
        shutil.chown(database, postfix.pw_uid, postfix.pw_gid)
