"""What is known of a person, for that person to have; and nothing of it that stays behind. On both engines.

The tables and their columns come from the schema: a new one that nobody thought of here is a failure.
"""
import json

from support.keys import make_key
from test_login_flow import assert_problem
from test_passwords import AUTH, PASSWORD, register
from test_user_commands import run, shown

EXPORT = f"{AUTH}/me/export"


class Exempt:
    """Why a column, or a whole table, is in no export."""

    def __init__(self, reason):
        self.reason = reason


SECRET = Exempt("with it somebody gets in")
INNER = Exempt("how the server does it: says nothing of the person that another member does not")
NOBODY = Exempt("nothing in it is about one person")

# Each column of each table: where the export has it, or why it does not.
TABLES = {
    "users": {
        "id": "user.id", "username": "user.username", "unique_name": "user.username", "email": "user.email",
        "phone_number": "user.phone_number", "email_verified": "user.email_verified", "phone_verified": "user.phone_verified",
        "first_name": "user.first_name", "last_name": "user.last_name", "locale": "user.locale", "role": "user.role",
        "status": "user.status", "joined_at_us": "user.date_joined", "last_login_at_us": "user.last_login_at",
        "display_name": "user.display_name", "group_names": "user.groups", "password_hash": SECRET,
        "password_changed_at_us": "passwords.changed_at", "time_zone": "time_zones.name",
        "factors": INNER,  # says what stands in the tables of the factors
    },
    "sessions": {
        "id": "sessions.id", "user_id": "user.id", "created_at_us": "sessions.created_at", "last_seen_at_us": "sessions.last_seen_at",
        "expires_at_us": "sessions.expires_at", "authenticated_at_us": "sessions.authenticated_at", "amr": "sessions.methods",
        "revoked_at_us": "sessions.revoked_at", "revoked_reason": "sessions.revoked_reason", "ip_address": "sessions.ip",
        "user_agent": "sessions.user_agent", "device_id": "sessions.device_id", "install_id": "sessions.install_id",
        "platform": "sessions.platform", "app_version": "sessions.app_version", "device_name": "sessions.device_name",
        "refresh_counter": INNER, "rotated_at_us": INNER, "moved_at_us": INNER,
    },
    "devices": {
        "id": "devices.id", "user_id": "user.id", "install_id": "devices.install_id", "platform": "devices.platform",
        "app_version": "devices.app_version", "device_name": "devices.device_name", "created_at_us": "devices.created_at",
        "last_seen_at_us": "devices.last_seen_at", "revoked_at_us": "devices.revoked_at",
    },
    "api_keys": {
        "id": "api_keys.id", "user_id": "user.id", "name": "api_keys.name", "prefix": "api_keys.prefix", "secret_hash": SECRET,
        "scopes": "api_keys.scopes", "send_limit": "api_keys.send_limit", "created_at_us": "api_keys.created_at", "expires_at_us": "api_keys.expires_at",
        "last_used_at_us": "api_keys.last_used_at", "revoked_at_us": "api_keys.revoked_at",
    },
    "passkeys": {
        "id": "passkeys.id", "user_id": "user.id", "name": "passkeys.name", "aaguid": "passkeys.authenticator",
        "transports": "passkeys.transports", "sign_count": "passkeys.uses", "backup_eligible": "passkeys.backup_eligible",
        "backed_up": "passkeys.backed_up", "verifies_user": "passkeys.verifies_user", "created_at_us": "passkeys.created_at", "last_used_at_us": "passkeys.last_used_at",
        "user_handle": INNER, "credential_id": INNER, "credential_hash": INNER, "algorithm": INNER, "public_key": INNER,
    },
    "totps": {
        "id": "authenticators.id", "user_id": "user.id", "name": "authenticators.name", "created_at_us": "authenticators.created_at",
        "last_used_at_us": "authenticators.last_used_at", "secret": SECRET, "last_step": INNER,
    },
    "recovery_codes": {
        "id": INNER, "user_id": "user.id", "number": "recovery_codes.number", "hash": SECRET, "confirmed": "recovery_codes.confirmed",
        "created_at_us": "recovery_codes.created_at", "used_at_us": "recovery_codes.used_at",
    },
    "group_members": {"group_name": "groups.name", "user_id": "user.id", "added_at_us": "groups.added_at"},
    "oidc_grants": {
        "id": "applications.id", "client_id": "applications.client", "user_id": "user.id", "session_id": "applications.session_id",
        "scopes": "applications.scopes", "amr": "applications.methods", "authenticated_at_us": "applications.authenticated_at",
        "created_at_us": "applications.created_at", "redeemed_at_us": "applications.redeemed_at",
        "expires_at_us": "applications.expires_at", "ended_at_us": "applications.ended_at", "nonce": INNER, "challenge": INNER,
        "redirect_hash": INNER, "acr": INNER, "refresh_counter": INNER, "rotated_at_us": INNER,
    },
    "oidc_consents": {"user_id": "user.id", "client_id": "consents.client", "scopes": "consents.scopes", "granted_at_us": "consents.granted_at"},
    "oidc_logouts": Exempt("ids alone, until an application has been told that a session ended"),
    "webhook_events": Exempt("ids alone, until others have been told of what happened"),
    "webhook_deliveries": Exempt("the same, and what could not be told for retention.dead_letters"),
    "webhooks": NOBODY, "oidc_clients": NOBODY, "id_token_keys": NOBODY,
    "usernames": {"name": "usernames.name", "user_id": "user.id", "taken_at_us": "usernames.taken_at"},
    "otp_requests": {
        "id": SECRET, "destination": "codes.destination", "channel": "codes.channel", "purpose": "codes.purpose", "guess_bucket": INNER,
        "created_at_us": "codes.created_at", "expires_at_us": "codes.expires_at", "attempts": "codes.attempts",
        "max_attempts": "codes.max_attempts", "consumed_at_us": "codes.consumed_at", "redeemed_at_us": "codes.redeemed_at",
        "amr": "codes.methods", "lane": INNER,
        "registration": Exempt("what a form said that anybody may have filled in, with a password's hash; once proved it is the account"),
    },
    "outbox": {
        "id": INNER, "otp_id": SECRET, "channel": "messages.channel", "purpose": "messages.purpose", "destination": "messages.destination",
        "locale": "messages.locale", "request_id": INNER, "attempts": "messages.attempts", "last_error": "messages.last_error",
        "created_at_us": "messages.created_at", "expires_at_us": "messages.expires_at", "available_at_us": INNER,
        "code_length": INNER, "code_alphabet": INNER, "discard": INNER, "kind": "messages.kind", "ip_address": "messages.ip",
        "device": "messages.device", "changed_address": "messages.changed_address", "time_zone": "messages.time_zone", "dead_at_us": "messages.dead_at", "leased": INNER,
    },
    "audit_events": {
        "id": "events.id", "event": "events.event", "user_id": "events.user_id", "destination": "events.destination",
        "ip_address": "events.ip_address", "user_agent": "events.user_agent", "request_id": "events.request_id",
        "metadata": "events.metadata", "created_at_us": "events.created_at",
    },
    "rate_limits": Exempt("counts under a MAC of the address, which only the master key ties to anybody, and forgets within a day"),
    "verification_attempts": Exempt("counts under the id of a verification of another application; no address, no user"),
    "user_groups": NOBODY, "password_costs": NOBODY, "signing_keys": NOBODY, "sms_budgets": NOBODY, "hourly_counts": NOBODY, "daily_counts": NOBODY, "passkey_site": NOBODY, "key_holders": NOBODY,
    "schema_migrations": NOBODY, "migration_progress": NOBODY,
}


def columns(site):
    if site.engine == "mysql":
        rows = site.sql("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
    else:
        rows = site.sql("SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'")
    tables = {}
    for table, column in rows:
        tables.setdefault(table, set()).add(column)
    return tables


def where_found(site, text):
    """Tables that hold the text, in any of their columns."""
    quote = "`" if site.engine == "mysql" else '"'
    asked = [
        f"SELECT '{table}' FROM {table} WHERE " + " OR ".join(f"INSTR({quote}{name}{quote}, '{text}') > 0" for name in sorted(names))
        for table, names in columns(site).items()]
    return {row[0] for row in site.sql(" UNION ".join(asked))}


def person(site, address):
    """Somebody with a row in each table; the access token."""
    register(site, address)
    access = site.login(address, time_zone="Europe/Berlin")["access"]
    assert site.request("PATCH", f"{AUTH}/profile", json={"username": "x" + address.split("@")[0], "display_name": "Ann L."},
                        token=access).status_code == 200
    run(site, "make-admin", address)
    make_key(site, access, "verify")
    site.otpgate.run("group", "create", "staff")
    assert site.otpgate.run("group", "add", "staff", address).returncode == 0
    site.sql("INSERT INTO passkeys (id, user_id, user_handle, credential_id, credential_hash, algorithm, public_key, name, transports, aaguid,"
             " sign_count, backup_eligible, backed_up, created_at_us) SELECT id, id, id, id, id, -7, id, 'Telephone', 'internal', id, 3, 1, 1,"
             f" joined_at_us FROM users WHERE email = '{address}'")
    site.sql("INSERT INTO totps (id, user_id, secret, name, last_step, created_at_us) SELECT id, id, id, 'App', 1, joined_at_us"
             f" FROM users WHERE email = '{address}'")
    site.sql("INSERT INTO recovery_codes (id, user_id, number, hash, confirmed, created_at_us) SELECT id, id, 3, 'hash', 1, joined_at_us"
             f" FROM users WHERE email = '{address}'")
    site.sql("INSERT INTO oidc_grants (id, client_id, user_id, session_id, scopes, nonce, challenge, redirect_hash, amr, acr,"
             " authenticated_at_us, created_at_us, expires_at_us, redeemed_at_us, refresh_counter, rotated_at_us, ended_at_us)"
             " SELECT id, 'wiki', id, id, 'openid', '', '', id, 'otp', '', joined_at_us, joined_at_us, joined_at_us, joined_at_us, 0, 0,"
             f" joined_at_us FROM users WHERE email = '{address}'")
    site.sql("INSERT INTO oidc_consents (user_id, client_id, scopes, granted_at_us) SELECT id, 'wiki', 'openid', joined_at_us"
             f" FROM users WHERE email = '{address}'")
    # A message that could not be delivered.
    site.sql("INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us, expires_at_us,"
             f" available_at_us, dead_at_us, last_error) SELECT id, id, channel, purpose, destination, 'en', '', created_at_us, created_at_us, created_at_us + 3600000000, created_at_us,"
             f" 'no such mailbox' FROM otp_requests WHERE destination = '{address}' AND purpose = 'login'")
    return access


def test_an_export_has_every_column_that_tells_of_a_person(site, address):
    access = person(site, address)
    schema = columns(site)

    answer = site.get(EXPORT, token=access)

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == 'attachment; filename="account.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    export = answer.json()
    assert set(TABLES) >= set(schema), "a table that nobody thought of: export it, or say here why not"
    for table, entry in TABLES.items():
        if isinstance(entry, Exempt):
            continue
        assert set(entry) == schema[table], f"{table}: export the column, or say here why not"
        for column, place in entry.items():
            if isinstance(place, Exempt):
                continue
            section, member = place.split(".")
            rows = [export["user"]] if section == "user" else export[section]
            assert rows and all(member in row for row in rows), f"{table}.{column}"
    assert export["user"] == shown(site, address)
    assert export["events_complete"] is True
    assert {row["destination"] for row in export["codes"] + export["messages"]} == {address}
    assert [(key["scopes"], key["revoked_at"]) for key in export["api_keys"]] == [("verify", None)]
    assert "USER_REGISTERED" in {row["event"] for row in export["events"]}
    # Nothing to get in by.
    for secret in ("$argon2", "otpg_" + export["api_keys"][0]["prefix"] + "_"):
        assert secret not in answer.text
    # An administrator gets the same.
    done = run(site, "export", address)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    assert set(again) == set(export)
    assert all(again[name] == export[name] for name in ("user", "passwords", "sessions", "api_keys", "groups", "codes", "messages"))
    assert run(site, "export", "nobody@example.com").returncode == 1


def test_an_export_is_of_oneself_alone_and_wants_a_recent_sign_in(site, address):
    assert_problem(site.get(EXPORT), 401, "UNAUTHENTICATED")
    access = site.login(address)["access"]
    other = "other-" + address
    site.login(other)
    assert other not in site.get(EXPORT, token=access).text
    site.sql("UPDATE sessions SET authenticated_at_us = authenticated_at_us - 901000000 WHERE user_id ="
             f" (SELECT id FROM users WHERE email = '{address}')")

    assert site.get(EXPORT, token=access).status_code == 403


def test_an_address_that_is_not_verified_brings_nothing_of_its_codes(site, address):
    mine = "mine-" + address
    assert run(site, "create", "--email", mine).returncode == 0
    site.request_code(address)
    site.sql(f"UPDATE users SET email = '{address}', email_verified = 0 WHERE email = '{mine}'")

    export = json.loads(run(site, "export", address).stdout)

    assert (export["codes"], export["messages"]) == ([], [])


def test_after_a_deletion_the_address_is_in_no_table(site, address):
    access = person(site, address)
    assert where_found(site, address) >= {"users", "otp_requests", "outbox", "audit_events"}

    assert site.request("DELETE", f"{AUTH}/me", token=access).status_code == 204

    assert where_found(site, address) == set()
    assert PASSWORD not in json.dumps(site.sql("SELECT metadata FROM audit_events"))
