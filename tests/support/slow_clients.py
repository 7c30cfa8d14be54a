"""Clients that send or read as slowly as they are allowed to, from one address, and come again when they are cut off."""
import select
import socket
import threading
import time

TICK = 0.25
BYTES_A_TICK = 140  # 560 bytes a second: just above what a web server takes for a client that has gone


class SlowClients:
    """Use as a context manager. `senders` send a body that never ends; `readers` ask for `large` and read nothing."""

    def __init__(self, port, senders, readers, *, address="127.0.0.1", path="/api/v1/auth/otp/request", large="/api/openapi.json"):
        self.target = ("127.0.0.1", port)
        self.address = address
        host = "Host: localhost\r\n"
        self.head = f"POST {path} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 16000\r\n\r\n".encode()
        self.question = f"GET {large} HTTP/1.1\r\n{host}\r\n".encode()
        self.counts = {"send": senders, "read": readers}
        self.made = {"send": 0, "read": 0}
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        time.sleep(1)  # until they are all there
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def _connect(self, kind):
        connection = socket.socket()
        if kind == "read":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(2)
        connection.bind((self.address, 0))
        connection.connect(self.target)
        connection.sendall(self.head if kind == "send" else self.question)
        connection.setblocking(False)
        self.made[kind] += 1
        return connection

    def _run(self):
        alive = {"send": [], "read": []}
        while not self.is_over.is_set():
            for kind, connections in alive.items():
                connections[:] = [connection for connection in connections if self._goes_on(kind, connection)]
                # Not all at once: whoever is cut off comes again, and that is no race.
                for _ in range(min(100, self.counts[kind] - len(connections))):
                    try:
                        connections.append(self._connect(kind))
                    except OSError:
                        pass
            self.is_over.wait(TICK)
        for connections in alive.values():
            for connection in connections:
                connection.close()

    @staticmethod
    def _goes_on(kind, connection):
        """One tick of a connection; False, and closed, when the server has had enough of it."""
        try:
            if kind == "send":
                connection.send(b"x" * BYTES_A_TICK)
                if not connection.recv(4096):
                    raise ConnectionError
            hung_up = select.poll()  # which is seen without reading
            hung_up.register(connection, select.POLLRDHUP)
            if hung_up.poll(0):
                raise ConnectionError
            return True
        except BlockingIOError:
            return True
        except OSError:
            connection.close()
            return False
