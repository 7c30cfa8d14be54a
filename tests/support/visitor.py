"""A browser without a screen: keeps cookies by host as browsers do, and follows redirects one by one."""
import urllib.parse

import requests

PAGE = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Visitor:
    """Every host is at 127.0.0.1. `seen` are the URLs that it was at, in their order."""

    def __init__(self):
        self.jar = {}
        self.seen = []

    def request(self, method, url, headers=None, **options):
        parts = urllib.parse.urlsplit(url)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies(parts.hostname).items())
        sent = {"Host": parts.netloc, **({"Cookie": cookies} if cookies else {}), **(headers or {})}
        address = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
        answer = requests.request(method, address, headers=sent, timeout=15, allow_redirects=False, **options)
        self.seen.append(url)
        for line in answer.raw.headers.getlist("Set-Cookie"):
            self._keep(parts.hostname, line)
        return answer

    def step(self, url, **options):
        """A page, or where it sends to."""
        return self.request("GET", url, headers={**PAGE, **options.pop("headers", {})}, **options)

    def open(self, url, **options):
        """Where it leads at last."""
        self.seen = []
        for _ in range(10):
            answer = self.step(url, **options)
            if answer.status_code != 303:
                return answer
            url = urllib.parse.urljoin(url, answer.headers["Location"])
        raise AssertionError(f"a circle: {self.seen}")

    def _cookies(self, host):
        return {name: value for (domain, name), value in self.jar.items()
                if host == domain.lstrip(".") or (domain.startswith(".") and host.endswith(domain))}

    def _keep(self, host, line):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        fields = dict(part.partition("=")[::2] for part in attributes)
        assert "Secure" in fields and "HttpOnly" in fields and fields["Path"] == "/", line
        assert not (name.startswith("__Host-") and "Domain" in fields), line
        domain = "." + fields["Domain"] if "Domain" in fields else host
        assert "Domain" not in fields or host == fields["Domain"] or host.endswith(domain), line
        if fields.get("Max-Age") == "0":
            self.jar.pop((domain, name), None)
        else:
            self.jar[domain, name] = value

    def cookie(self, host, name):
        return self.jar.get((host, name))
