"""API keys and verifications, as a backend uses them."""


def make_key(site, token, *scopes, **fields):
    """The body of the 201."""
    answer = site.post("/api/v1/api-keys", {"name": "a backend", "scopes": list(scopes), **fields}, token=token)
    assert answer.status_code == 201, answer.text
    return answer.json()


class Backend:
    """An application with a key of its own user, who is made for it."""

    def __init__(self, site, address, *scopes):
        self.site = site
        self.access = site.login(address)["access"]
        self.key = make_key(site, self.access, *scopes)["key"]

    def post(self, path, body, **options):
        return self.site.post(path, body, headers={"X-API-Key": self.key}, **options)

    def start(self, to, **fields):
        """The body of the 201."""
        answer = self.post("/api/v1/verifications", {"to": to, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def start_mailed(self, to, **fields):
        """(context, code as it was mailed)"""
        context = self.start(to, **fields)["context"]
        return context, self.site.mailbox.wait_for(to)

    def start_told(self, to, **fields):
        """(context, code): delivered by the caller."""
        body = self.start(to, deliver="caller", **fields)
        return body["context"], body["otp"]

    def check(self, context, otp):
        return self.post("/api/v1/verifications/check", {"otp": otp, "context": context})

    def introspect(self, token, **fields):
        answer = self.post("/api/v1/auth/token/introspect", {"token": token, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()
