"""A phone with an authenticator app: oathtool."""

import subprocess
import time

STEP = 30


class PhoneApp:
    """Shows the codes of one secret. The server takes those of the step before and after, too, and each once: what is asked
    for here is the earliest that it has not taken."""

    def __init__(self, secret):
        self.secret, self.shown = secret, 0

    def code(self):
        now = int(time.time()) // STEP
        # Not the one before where it is about to be too old.
        self.shown = max(self.shown + 1, now)
        assert self.shown <= now + 1, "the phone has shown more codes than a minute has"
        return self.code_of(self.shown)

    def code_of(self, step):
        run = subprocess.run(["oathtool", "--totp", "--base32", f"--now=@{step * STEP}", self.secret], capture_output=True, text=True, check=True)
        return run.stdout.strip()


def register(site, access, name="Phone"):
    """Adds an app to the account: the phone that has it."""
    invitation = site.post("/api/v1/auth/totp/options", token=access).json()
    phone = PhoneApp(invitation["secret"])
    added = site.post("/api/v1/auth/totp", {"token": invitation["token"], "otp": phone.code(), "name": name}, token=access)
    assert added.status_code == 201, added.text
    return phone
