"""What may come over the FastCGI socket: whoever may open it can hold up or end nothing by what they send."""
import os
import random
import socket
import time

import pytest

from support import fastcgi
from support.otpgate import Otpgate

# As many as wanted by hand: OTPGATE_FUZZ_RECORDS=1000000 tests/run e2e -- -k fuzz
RECORDS = int(os.environ.get("OTPGATE_FUZZ_RECORDS", 5000))
SEED = int(os.environ.get("OTPGATE_FUZZ_SEED", 20261128))


@pytest.fixture
def otpgate(new_folder):
    running = Otpgate(new_folder(), {"limits.request_per_client": "0"}).prepare().start()
    yield running
    assert running.stop() == 0


def assert_answers(otpgate):
    assert otpgate.process.is_running()
    start = time.monotonic()
    assert b"Status: 200 " in fastcgi.exchange(otpgate.socket, fastcgi.request("GET", "/health/live"))
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("stream", [
    # A parameter whose length does not fit into an int.
    "01010001000800000001000000000000" "0104000100050000fffffffe01" "0104000100000000",
    # More values than there are, asked for before a request.
    "0109000000400000" + 4 * "0e00464347495f4d41585f434f4e4e53",
])
def test_what_aborted_libfcgi_ends_nothing(otpgate, stream):
    with fastcgi.connect(otpgate.socket) as connection:
        connection.sendall(bytes.fromhex(stream) + fastcgi.request("GET", "/health/live", request_id=2))
        fastcgi.read_answer(connection)

    assert_answers(otpgate)


def test_silent_and_unfinished_connections_hold_nobody_up(otpgate):
    request = fastcgi.request("POST", "/api/v1/auth/otp/request", b'{"destination": "a@example.com"}')
    connections = []
    try:
        for count in range(120):
            connection = fastcgi.connect(otpgate.socket)
            connection.sendall(request[: count * (len(request) - 8) // 120])
            connections.append(connection)

        assert_answers(otpgate)
        # They are served all the same when the rest comes.
        last = connections[-1]
        last.sendall(request[119 * (len(request) - 8) // 120 :])
        assert b"Status: 202 " in fastcgi.read_answer(last)
    finally:
        for connection in connections:
            connection.close()


def test_answers_that_nobody_reads_hold_nobody_up(otpgate):
    connections = []
    try:
        for _ in range(60):
            connection = fastcgi.connect(otpgate.socket)
            # More than the socket holds.
            connection.sendall(4 * fastcgi.request("GET", "/api/openapi.json", keep=True))
            connections.append(connection)

        assert_answers(otpgate)
        for _ in range(4):
            assert len(fastcgi.read_answer(connections[0])) > 100_000
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("method,path,length,status", [
    ("POST", "/api/nothing", "100", 404),
    ("DELETE", "/api/v1/auth/otp/request", "100", 405),
    ("POST", "/api/v1/auth/otp/request", "1100000000", 413),
])
def test_a_refusal_does_not_wait_for_the_body(otpgate, method, path, length, status):
    variables = fastcgi.variables_of(method, path, CONTENT_LENGTH=length, CONTENT_TYPE="application/json")
    with fastcgi.connect(otpgate.socket, timeout=5) as connection:
        connection.sendall(fastcgi.begin() + fastcgi.record(fastcgi.PARAMS, 1, fastcgi.pairs(variables))
                           + fastcgi.record(fastcgi.PARAMS, 1))
        assert f"Status: {status} ".encode() in fastcgi.read_answer(connection)


def test_parameters_that_are_too_large_are_refused(otpgate):
    variables = fastcgi.pairs(fastcgi.variables_of("GET", "/health/live", HTTP_X_LARGE="x" * 60_000))
    with fastcgi.connect(otpgate.socket) as connection:
        connection.sendall(fastcgi.begin() + 3 * fastcgi.record(fastcgi.PARAMS, 1, variables))
        answer = fastcgi.read_answer(connection)

    assert b"Status: 400 " in answer and b'"code":"BAD_REQUEST"' in answer


class Fuzzer:
    """Records as they should be and as they should not, the same ones for the same seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def some_bytes(self, most):
        return self.dice.randbytes(self.dice.choice((0, 1, 3, 8, self.dice.randrange(most))))

    def variables(self):
        paths = ["/health/live", "/api/v1/auth/otp/verify", "/api/nothing", "/authz", "/%00", "*", "/" + "x" * 300]
        return fastcgi.variables_of(
            self.dice.choice(("GET", "POST", "HEAD", "OPTIONS", "")), self.dice.choice(paths),
            CONTENT_LENGTH=self.dice.choice(("", "0", "5", "-1", "16384", "99999999999")), HTTP_COOKIE="a=b",
            CONTENT_TYPE="application/json",
        )

    def stream(self, count):
        # After bytes that are no record nothing can be read, so half of the streams have none.
        first = self.dice.choice((0, 3))
        return b"".join(self.record(first) for _ in range(count))

    def record(self, first):
        dice = self.dice
        request_id = dice.choice((1, 1, 1, 1, 1, 1, 2, 65535, 0 if first == 0 else 1))
        kind = dice.choice((10, dice.randrange(first, 12)))
        if kind == 0:
            return self.some_bytes(200)
        if kind == 1:  # the length of another record
            whole = fastcgi.record(dice.randrange(14), request_id, self.some_bytes(200))
            return whole[:4] + dice.randbytes(2) + whole[6:]
        if kind == 2:
            return fastcgi.record(fastcgi.PARAMS, request_id, dice.choice((b"\xff\xff\xff\xfe\x01", b"\x80", b"\x05\x80")))
        if kind == 3:
            return fastcgi.record(fastcgi.GET_VALUES, 0, 4 * fastcgi.pairs({"FCGI_MAX_CONNS": ""}) + self.some_bytes(20))
        if kind in (4, 5):
            return fastcgi.begin(request_id, dice.choice((1, 1, 1, 2, 3, 9)), dice.random() < 0.7)
        if kind == 6:
            return fastcgi.record(fastcgi.PARAMS, request_id, fastcgi.pairs(self.variables()), dice.randrange(9))
        if kind == 7:
            return fastcgi.record(fastcgi.PARAMS, request_id)
        if kind == 8:
            return fastcgi.record(fastcgi.STDIN, request_id, self.some_bytes(3000), dice.randrange(256))
        if kind == 9:
            return fastcgi.record(fastcgi.STDIN, request_id)
        if kind == 10:
            whole = bytearray(fastcgi.request("POST", "/api/v1/auth/otp/verify", b"{}", request_id, keep=True))
            for _ in range(dice.choice((0, 0, 1, 3))):
                whole[dice.randrange(len(whole))] = dice.randrange(256)
            return bytes(whole)
        return fastcgi.record(dice.randrange(256), request_id, self.some_bytes(100))


def test_fuzz_malformed_records(otpgate):
    fuzzer = Fuzzer(SEED)
    sent = 0
    while sent < RECORDS:
        count = 1 + fuzzer.dice.randrange(20)
        stream = fuzzer.stream(count)
        sent += count
        with fastcgi.connect(otpgate.socket) as connection:
            try:
                connection.sendall(fastcgi.begin(keep=True) + stream if fuzzer.dice.random() < 0.5 else stream)
                ending = fuzzer.dice.randrange(4)
                if ending == 0:
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                elif ending == 1:
                    connection.setblocking(False)
                    connection.recv(65536)
            except (BrokenPipeError, ConnectionResetError, BlockingIOError):
                pass
        if sent % 1000 < count:
            assert_answers(otpgate)

    assert_answers(otpgate)
    assert "unhandled exception" not in otpgate.log()
