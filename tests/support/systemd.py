"""What systemd does for a service with a socket unit and Type=notify: it holds the socket, and hears what is said."""
import os
import socket

from .process import Process


class Systemd:
    """Takes over an Otpgate: from then on its start(), stop() and restart() are of a process that is given the socket of
    server.listen, which stays open in between."""

    def __init__(self, otpgate, watchdog_seconds=None):
        path = str(otpgate.settings["server.listen"]).removeprefix("unix:")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        os.chmod(path, 0o666)
        self._listener.listen(4096)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify = otpgate.folder / "notify.sock"
        self._notify.bind(str(notify))
        self._notify.setblocking(False)
        self._said = []
        env = {**otpgate.env, "NOTIFY_SOCKET": str(notify)}
        if watchdog_seconds:
            env["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1_000_000))
        descriptor = self._listener.fileno()
        # The shell becomes the service, so LISTEN_PID is its own.
        starter = f'exec env LISTEN_FDS=1 LISTEN_PID=$$ "$@" 3<&{descriptor}'
        otpgate.process = Process("otpgate", ["/bin/bash", "-c", starter, "bash", *otpgate.process.command],
                                  otpgate.folder / "otpgate.log", env, pass_fds=(descriptor,))

    def said(self):
        """The lines of all notifications so far, without the times in them."""
        while True:
            try:
                self._said += [line for line in self._notify.recv(4096).decode().splitlines()
                               if not line.startswith("MONOTONIC_USEC=")]
            except BlockingIOError:
                return list(self._said)

    def close(self):
        self._listener.close()
        self._notify.close()
