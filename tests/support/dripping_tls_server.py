"""A mail server with TLS from the first byte that sends a byte now and then, or resets the connection after its greeting."""
import contextlib
import socket
import ssl
import struct
import threading
import time

GREETING = b"220 localhost ESMTP\r\n"


class DrippingTlsServer:
    """`drips` from its "handshake" on, or from its "greeting" on; or it `resets` behind the greeting. One connection after
    the other."""

    PAUSE = 0.1

    def __init__(self, authority, drips=None, resets=False):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate_file, authority.key_file)
        self._drips, self._resets = drips, resets
        self._stopping = threading.Event()
        self.heard = b""  # what the client said within TLS

    def start(self):
        self._listener = socket.create_server(("localhost", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def stop(self):
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self):
        with contextlib.suppress(OSError):
            while not self._stopping.is_set():
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._serve(connection)

    def _serve(self, connection):
        received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(received, to_send, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._send(connection, to_send.read(), self._drips == "handshake")
                received.write(self._receive(connection))
        tls.write(GREETING)
        self._send(connection, to_send.read(), self._drips is not None)
        if self._resets:
            # Not before the client has read the greeting and answers it.
            received.write(self._receive(connection))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        while True:
            received.write(self._receive(connection))
            with contextlib.suppress(ssl.SSLWantReadError):
                self.heard += tls.read()

    @staticmethod
    def _receive(connection):
        bytes_ = connection.recv(4096)
        if not bytes_:
            raise OSError("the client went away")
        return bytes_

    def _send(self, connection, bytes_, drips):
        if not drips:
            connection.sendall(bytes_)
            return
        for i in range(len(bytes_)):
            if self._stopping.is_set():
                raise OSError("the test is over")
            connection.sendall(bytes_[i : i + 1])
            time.sleep(self.PAUSE)
