"""What otpgate derives from its master key, derived once more: login codes, device tokens and refresh tokens for rows
that we write ourselves. As src/crypto/key_ring.cpp, src/domain/otp_code.cpp, src/domain/device_token.cpp and
src/domain/refresh_token.cpp do it."""
import base64
import hashlib
import hmac


def _hmac(key, data):
    return hmac.digest(key, data, "sha256")


def _hkdf(secret, label):
    return _hmac(_hmac(bytes(32), secret), label.encode() + b"\x01")


def _signed(key, text):
    return base64.urlsafe_b64encode(text + _hmac(key, text)).rstrip(b"=").decode()


class MasterKey:
    def __init__(self, file):
        lines = (line.strip() for line in file.read_text().splitlines())
        line = next(line for line in lines if line and not line.startswith("#"))
        secret = bytes.fromhex(line.removeprefix("otpgate1:"))
        self._codes = _hkdf(secret, "otpgate otp-code v1")
        self._devices = _hkdf(secret, "otpgate device-token v1")
        self._refresh = _hkdf(secret, "otpgate refresh-token v1")

    def code(self, otp_id):
        number = int.from_bytes(_hmac(self._codes, otp_id.bytes)[:8], "big")
        return f"{number % 10**6:06d}"

    def refresh_token(self, session_id, counter=0):
        text = session_id.bytes + counter.to_bytes(8, "big")
        return _signed(self._refresh, text)

    def device_token(self, device_id):
        return _signed(self._devices, device_id.bytes)


def guess_bucket(destination):
    """limitBucket() of src/domain/limits.cpp."""
    return hashlib.sha256(b"guess:" + destination.encode()).digest()[:16]
