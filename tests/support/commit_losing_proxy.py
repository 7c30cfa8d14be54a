"""A TCP proxy before a database server that loses the answer to a COMMIT: what it was sent is done, and nobody is told."""
import contextlib
import re
import select
import socket
import threading

_COMMIT = re.compile(rb"COMMIT(?!TED)")


class CommitLosingProxy:
    """Use as a context manager; listens on `port` of 127.0.0.1."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.is_armed = False
        self.lost = 0
        self._stays_away = False
        self._is_away = False
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]

    def lose_next_commit(self, of="INSERT INTO sessions", stays_away=False):
        """The answer to the next COMMIT that comes together with `of`. `stays_away`: afterwards no connection is taken before
        come_back()."""
        self.of = of.encode()
        self._stays_away = stays_away
        self.is_armed = True

    def come_back(self):
        self._is_away = False

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            if self._is_away:
                return
            with socket.create_connection(("127.0.0.1", self.server_port)) as server:
                while True:
                    ready, _, _ = select.select([client, server], [], [], 0.05)
                    if self._is_away:
                        return
                    for side in ready:
                        data = side.recv(65536)
                        if not data:
                            return
                        (server if side is client else client).sendall(data)
                        if side is client and self.is_armed and _COMMIT.search(data) and self.of in data:
                            self.is_armed = False
                            self.lost += 1
                            self._is_away = self._stays_away
                            # It is made meanwhile, and its answer is not passed on.
                            server.recv(65536)
                            return
