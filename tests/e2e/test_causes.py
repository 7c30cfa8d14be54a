"""Why somebody cannot sign in (www/admin/cause.js) and whom a mistyped address means (nearest.js): the functions alone, in Node."""
import json
import pathlib
import subprocess

import pytest

ADMIN = pathlib.Path(__file__).resolve().parents[2] / "www/admin"
NOW = "2026-11-20T12:00:00Z"
ASK = """
import { causeOf } from "MODULES/cause.js";
import { within } from "MODULES/delays.js";
import { apart, nearest, searchesFor } from "MODULES/nearest.js";
const { people, typed, users, pairs, delays } = JSON.parse(process.argv[1]);
console.log(JSON.stringify({
    causes: people.map((person) => causeOf(person, Date.parse("NOW"))),
    nearest: typed.map((text) => nearest(text, users).map(({ id }) => id)),
    searches: typed.map(searchesFor),
    apart: pairs.map(([one, other]) => apart(one, other)),
    within: delays.map((events) => [within(events, 0.5), within(events, 0.95)]),
}));
"""


def ask(people=(), typed=(), users=(), pairs=(), delays=()):
    script = ASK.replace("MODULES", ADMIN.as_uri()).replace("NOW", NOW)
    question = json.dumps({"people": people, "typed": typed, "users": users, "pairs": pairs, "delays": delays})
    done = subprocess.run(["node", "--input-type=module", "-e", script, question], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def event(name, time="11:00", **more):
    return {"event": name, "created_at": f"2026-11-20T{time}:00Z", "destination": "ann@example.com", "metadata": {}, **more}


def limit(counted, remaining=0, free="12:05"):
    return {"counted": counted, "remaining": remaining, "limit": 10, "next_free_at": f"2026-11-20T{free}:00Z"}


def message(state, attempts=1, time="11:30", **more):
    return {"state": state, "attempts": attempts, "created_at": f"2026-11-20T{time}:00Z", "purpose": "login", "channel": "email",
            "destination": "ann@example.com", "last_error": "550 5.1.1 no such user", **more}


def person(events=(), limits=(), messages=(), has_factor=False, **user):
    """The events are given as they happened; the answer has the newest first."""
    return {"user": {"status": "active", "last_login_at": None, **user}, "events": list(events)[::-1], "limits": list(limits),
            "messages": list(messages), "has_factor": has_factor}


ASKED, SENT = event("OTP_REQUESTED", "11:30"), event("OTP_SENT", "11:31")
RIGHT, WRONG, IN = event("OTP_VERIFIED", "11:40"), event("OTP_FAILED", "11:40"), event("LOGIN_SUCCEEDED", "11:20")
REFUSED = event("OTP_SEND_FAILED", "11:32", metadata={"reason": "550 5.1.1 no such user"})
SAID = {"channel": "email", "destination": "ann@example.com", "reason": "550 5.1.1 no such user"}
CAUSES = {
    "disabled": (person([event("USER_DISABLED")], [limit("guesses")], status="disabled"), {"kind": "disabled", "at": "2026-11-20T11:00:00Z"}),
    "disabled long ago": (person(status="disabled"), {"kind": "disabled", "at": None}),
    "a dead letter": (person([ASKED], messages=[message("dead")]), {"kind": "undeliverable", **SAID, "at": "2026-11-20T11:30:00Z"}),
    "a dead letter that was removed": (person([ASKED, REFUSED]), {"kind": "undeliverable", **SAID, "at": "2026-11-20T11:32:00Z"}),
    "a dead letter and what it made of the budget": (person([ASKED, REFUSED], [limit("requests")], [message("dead")]), {"kind": "undeliverable"}),
    "a dead letter before the last sign-in": (person([ASKED, REFUSED, {**IN, "created_at": "2026-11-20T11:50:00Z"}], messages=[message("dead")]), {"kind": "well"}),
    "a notice that is dead": (person([IN], messages=[message("dead", purpose=None)]), {"kind": "well"}),
    "one that a newer one overtook": (person([ASKED, SENT, {**REFUSED, "metadata": {"reason": "its code is void, because a newer one was asked for"}}]), {"kind": "delivered"}),
    "a server that is away": (person([ASKED], messages=[message("waiting")]), {"kind": "retrying", **SAID, "at": "2026-11-20T11:30:00Z"}),
    "a message on its way": (person([IN, ASKED], messages=[message("leased", 0)]), {"kind": "well"}),
    "guesses are spent": (person([ASKED, SENT, WRONG], [limit("requests"), limit("guesses")]),
                          {"kind": "spent", "counted": "guesses", "limit": 10, "until": "2026-11-20T12:05:00Z"}),
    "one guess is free again": (person([ASKED, SENT, WRONG], [limit("guesses", free="11:59")]), {"kind": "wrong", "at": "2026-11-20T11:40:00Z"}),
    "one guess is left": (person([ASKED, SENT, WRONG], [limit("guesses", 1)]), {"kind": "wrong"}),
    "a factor is lost": (person([IN, ASKED, SENT, RIGHT], has_factor=True), {"kind": "factor", "at": "2026-11-20T11:40:00Z"}),
    "a passkey alone is lost": (person([IN, ASKED, SENT, RIGHT, event("LOGIN_FAILED", "11:40")], has_factor=True), {"kind": "factor"}),
    "no group lets him in": (person([ASKED, SENT, RIGHT, event("LOGIN_FAILED", "11:40")]), {"kind": "refused"}),
    "sent and not entered": (person([IN, ASKED, SENT]), {"kind": "delivered", "at": "2026-11-20T11:31:00Z", "destination": "ann@example.com"}),
    "sent long ago": (person([{**SENT, "created_at": "2026-11-18T11:31:00Z"}], last_login_at="2026-11-17T00:00:00Z"), {"kind": "quiet", "at": "2026-11-17T00:00:00Z"}),
    "all is well": (person([ASKED, SENT, RIGHT, IN]), {"kind": "well", "at": "2026-11-20T11:20:00Z"}),
    "nothing happened": (person(), {"kind": "quiet", "at": None}),
}


def test_the_likeliest_cause_is_told():
    found = ask(people=[told for told, _ in CAUSES.values()])["causes"]
    for name, cause, (_, expected) in zip(CAUSES, found, CAUSES.values()):
        assert {key: cause.get(key) for key in expected} == expected, name


@pytest.mark.parametrize("typed,meant", [
    ("ann@exmaple.com", "ann"), ("anm@example.com", "ann"), ("Ann@Example.co", "ann"), ("ann@example.org", "ann"), ("bob@gmail.com", "bob"),
    ("+4930123465", "carl"), ("someone@else.example", None), ("x", None),
])
def test_who_was_meant(typed, meant):
    users = [{"id": name, "email": f"{name}@example.com"} for name in ("ann", "bob", "dora")] + [{"id": "carl", "phone_number": "+4930123456"}]
    found = ask(typed=[typed], users=users * 2)["nearest"][0]
    assert (found[0] if found else None) == meant and len(found) == len(set(found)) <= 3


def test_how_long_codes_waited():
    told = ask(delays=[{}, {"OTP_SENT": 5}, {"OTP_SENT_1S": 100}, {"OTP_SENT_1S": 50, "OTP_SENT_5S": 45, "OTP_SENT_LATE": 5}, {"OTP_SENT_2S": 1, "OTP_SENT_LATE": 9}])
    assert told["within"] == [[0, 0], [0, 0], [1, 1], [1, 5], [600, 600]]


def test_how_far_words_are_apart():
    told = ask(typed=["ann.lee@x.de", "an@x", "+4930"], pairs=[("ab", "ba"), ("abc", "abc"), ("", "abc"), ("kitten", "sitting"), ("ca", "abc")])
    assert told["apart"] == [1, 0, 3, 3, 3]
    assert told["searches"] == [["ann.lee@", "ann"], ["an@"], ["+49"]]
