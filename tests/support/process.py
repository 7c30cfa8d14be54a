"""A child process in the background, whose output is kept in a file."""
import ctypes
import os
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    # A killed test run leaves no servers behind.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """Nothing is started before start(); stop() is safe at any time."""

    def __init__(self, name, command, log, env=None, pass_fds=()):
        """`pass_fds`: open descriptors that the child keeps, with their numbers."""
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.env = env
        self.pass_fds = pass_fds
        self.popen = None

    def start(self):
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                start_new_session=True,
                pass_fds=self.pass_fds,
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self):
        return self.popen.pid

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def require_running(self):
        if not self.is_running():
            raise RuntimeError(f"{self.name} ended; its output:\n{self.log_text()[-3000:]}")

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self, timeout=30):
        """SIGTERM, and the exit code. What does not stop is killed, and that is an error."""
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            # A stopped process (SIGSTOP) would never see the SIGTERM.
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.name} did not stop within {timeout} s") from None

    def kill(self):
        if self.is_running():
            self.popen.kill()
            self.popen.wait()

    def log_text(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def rss_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
