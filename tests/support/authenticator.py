"""An authenticator of our own (WebAuthn Level 3, section 6), which also says what no good one would."""

import base64
import hashlib
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, HAS_CREDENTIAL = 0x01, 0x04, 0x08, 0x10, 0x40


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One passkey (ES256). `flags`, `counter`, `origin` and the rest may be changed before each answer."""

    def __init__(self, origin, rp_id="localhost", flags=USER_PRESENT | USER_VERIFIED):
        self.origin, self.rp_id, self.flags, self.counter = origin, rp_id, flags, 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.handle = None

    def client_data(self, kind, challenge, **more):
        return json.dumps({"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin,
                           "crossOrigin": False, **more}, separators=(",", ":")).encode()

    def data(self, flags, rest=b""):
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big") + rest

    def cose_key(self):
        numbers = self.key.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y

    def create(self, options, tail=b"", **client):
        """What navigator.credentials.create() gives, as toJSON() writes it."""
        public = options["publicKey"]
        self.handle = unb64(public["user"]["id"])
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self.cose_key()
        data = self.data(self.flags | HAS_CREDENTIAL, attested)
        attestation = (b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + len(data).to_bytes(2, "big") + data + tail)
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {},
                "response": {"clientDataJSON": b64(self.client_data("create", client.pop("challenge", public["challenge"]), **client)),
                             "attestationObject": b64(attestation), "transports": ["internal", "hybrid"]}}

    def get(self, options, kind="get", change=None, **client):
        """What navigator.credentials.get() gives. `change(response)` may alter the bytes after they were signed."""
        client_data = self.client_data(kind, client.pop("challenge", options["publicKey"]["challenge"]), **client)
        data = self.data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature, "userHandle": self.handle}
        if change:
            change(response)
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {},
                "response": {name: b64(value) for name, value in response.items() if value is not None}}
