"""The web server's side of FastCGI (version 1.0), down to single bytes: for what no web server would send."""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, GET_VALUES = 1, 2, 3, 4, 5, 6, 9


def record(kind, request_id, content=b"", padding=0):
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content), padding) + content + bytes(padding)


def begin(request_id=1, role=1, keep=False):
    return record(BEGIN, request_id, struct.pack(">HB5x", role, keep))


def pairs(variables):
    """Names and values as PARAMS hold them."""
    def length(text):
        return bytes([len(text)]) if len(text) < 128 else struct.pack(">I", len(text) | 1 << 31)

    encoded = [(name.encode(), value.encode()) for name, value in variables.items()]
    return b"".join(length(name) + length(value) + name + value for name, value in encoded)


def variables_of(method, path, **more):
    return {"REQUEST_METHOD": method, "REQUEST_URI": path, "REMOTE_ADDR": "127.0.0.1", **more}


def request(method, path, body=b"", request_id=1, keep=False, **more):
    """All the records of a request."""
    if body:
        more = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json", **more}
    return (
        begin(request_id, keep=keep)
        + record(PARAMS, request_id, pairs(variables_of(method, path, **more)))
        + record(PARAMS, request_id)
        + (record(STDIN, request_id, body) if body else b"")
        + record(STDIN, request_id)
    )


def connect(path, timeout=10):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(str(path))
    return connection


def read_answer(connection):
    """What a request writes up to its end; None where the connection ends before."""
    def exactly(count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    answer = b""
    try:
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", exactly(8))
            content = exactly(length)
            exactly(padding)
            if kind == STDOUT:
                answer += content
            if kind == END:
                return answer
    except ConnectionError:
        return None


def exchange(path, records, timeout=10):
    with connect(path, timeout) as connection:
        connection.sendall(records)
        return read_answer(connection)
