"""The words of messages: which language they come in, templates of one's own, and the commands that look after them."""
import re
import subprocess

import pytest

from browser import open_browser
from support.keys import Backend
from support.mailbox import code_in
from support.otpgate import BINARY, Otpgate
from test_passwords import PASSWORD

REQUEST = "/api/v1/auth/otp/request"
SUBJECTS = {
    "ar": "رمز تسجيل الدخول الخاص بك في \u2068localhost\u2069", "de": "Ihr Anmeldecode für localhost",
    "en": "Your sign-in code for localhost", "es": "Su código de acceso para localhost",
    "fr": "Votre code de connexion pour localhost", "hi": "localhost के लिए आपका साइन-इन कोड",
    "ja": "localhost のログイン用コードのお知らせ", "pt": "Seu código de acesso para localhost",
    "tr": "localhost için giriş kodunuz", "zh": "您在 localhost 的登录验证码",
}
KINDS = ("code", "link", "new_sign_in", "password_changed", "address_changed", "many_failures",
         "passkey_added", "passkey_removed", "authenticator_added", "authenticator_removed",
         "recovery_codes_made", "recovery_code_used", "device_trusted")
PARTS = ("subject", "txt", "html", "sms")


def mail(site, address, accept=None, patience=10, **fields):
    """The mail that a request brings to the address, asked for by a client that accepts such languages."""
    headers = {"Accept-Language": accept} if accept is not None else {}
    answer = site.post(REQUEST, {"destination": address, **fields}, headers=headers)
    assert answer.status_code == 202, answer.text
    return site.mailbox.wait_for_message(address, patience)


def part(message, kind):
    return message.get_body((kind,)).get_content()


def templates(otpgate_or_site, *arguments):
    otpgate = getattr(otpgate_or_site, "otpgate", otpgate_or_site)
    return subprocess.run([BINARY, "templates", *arguments, "--config", otpgate.config], capture_output=True, text=True,
                          env=otpgate.env, timeout=60, check=False)


# Which language.

@pytest.mark.parametrize("locale", SUBJECTS)
def test_a_mail_in_each_language(site, address, locale):
    message = mail(site, address, locale=locale)

    assert message["Subject"] == SUBJECTS[locale]
    code = code_in(message)
    assert code not in message["Subject"]
    assert part(message, "html").count(code) == 1
    assert f'<html lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}">' in part(message, "html")
    assert "{" not in part(message, "plain") + part(message, "html")


def register(site, body, accept="en"):
    """Who fills in the form proves the address by the message that came for it: that message."""
    form = site.post("/api/v1/auth/register", body, headers={"Accept-Language": accept})
    assert form.status_code == 201, form.text
    message = site.mailbox.wait_for_message(body["email"])
    assert site.verify(form.json()["otp_id"], code_in(message)).status_code == 200
    return message


def test_a_germans_mail_is_german(site, address):
    body = {"email": address, "password": PASSWORD, "locale": "de-AT"}
    assert register(site, body)["Subject"] == "Ihr Bestätigungscode für localhost"

    message = mail(site, address, accept="fr, en;q=0.5")

    assert message["Subject"] == SUBJECTS["de"]
    assert "Der Code gilt 10 Minuten" in part(message, "plain")
    assert mail(site, address)["Subject"] == SUBJECTS["de"]


@pytest.mark.parametrize(
    "accept,locale",
    [("fr-CH, fr;q=0.9, en;q=0.8", "fr"), ("en;q=0.5, es-419", "es"), ("nl, ja;q=0.4, *;q=0.1", "ja"), ("pt-BR", "pt"),
     ("zh-Hant-TW", "zh"), ("de;q=0, fr;q=0.1", "fr"), ("nl", "en"), ("*", "en"), ("", "en"), ("en_US;;q=,\t", "en")],
)
def test_the_browsers_language(site, address, accept, locale):
    assert mail(site, address, accept=accept)["Subject"] == SUBJECTS[locale]


def test_a_request_that_names_its_language_wins(site, address):
    body = {"email": address, "password": PASSWORD, "locale": "de"}
    register(site, body)

    assert mail(site, address, accept="fr", locale="tr-TR")["Subject"] == SUBJECTS["tr"]
    # Of what there is not, the next one in line.
    assert mail(site, address, accept="fr", locale="nl")["Subject"] == SUBJECTS["de"]


def test_an_account_in_a_language_that_there_is_not_falls_back_to_the_browsers(site, address):
    body = {"email": address, "password": PASSWORD, "locale": "nl-BE"}
    register(site, body)

    assert mail(site, address, accept="fr-BE")["Subject"] == SUBJECTS["fr"]
    assert mail(site, address)["Subject"] == SUBJECTS["en"]


def test_who_registers_is_remembered_by_the_browsers_language(site, address):
    message = register(site, {"email": address, "password": PASSWORD}, accept="pt-BR, pt;q=0.9, en;q=0.5")

    assert message["Subject"] == "Seu código de verificação para localhost"
    assert mail(site, address)["Subject"] == SUBJECTS["pt"]


def test_who_signs_in_first_is_remembered_by_the_browsers_language(site, address):
    def sign_in(accept):
        otp_id, code = site.request_code(address)
        answer = site.post("/api/v1/auth/otp/verify", {"otp_id": otp_id, "otp": code},
                           headers={"Accept-Language": accept})
        return answer.json()["user"]["locale"]

    assert sign_in("fr-CH, fr;q=0.9") == "fr-CH"
    assert sign_in("de") == "fr-CH"  # in another browser, whose owner need not be the account's
    [notice] = site.mailbox.wait_for_notices(address, 1)
    assert notice["Subject"] == "Nouvelle connexion à votre compte sur localhost"


def test_what_waits_in_the_outbox_keeps_its_language(make_site, engine, address):
    site = make_site(engine, delivery_queue_length=0)

    # Sent when the lease of ten seconds is over.
    assert mail(site, address, accept="es", patience=20)["Subject"] == SUBJECTS["es"]


def test_a_verification_in_its_own_language(site, address, new_address):
    backend = Backend(site, new_address(), "verify")
    answer = site.post("/api/v1/verifications", {"to": address, "locale": "fr-CA"},
                       headers={"X-API-Key": backend.key, "Accept-Language": "de"})

    assert answer.status_code == 201, answer.text
    assert site.mailbox.wait_for_message(address)["Subject"] == "Votre code de vérification pour localhost"
    assert backend.post("/api/v1/verifications", {"to": address, "locale": "fr_CA@posix"}).status_code == 201
    assert site.mailbox.wait_for_message(address)["Subject"] == "Votre code de vérification pour localhost"


def test_an_sms_in_each_language(sms_site, new_number):
    host = re.sub(r"https?://|:\d+$", "", sms_site.url)
    for locale in SUBJECTS:
        number = new_number()
        answer = sms_site.post(REQUEST, {"phone_number": number, "locale": locale})
        assert answer.status_code == 202, answer.text
        message = sms_site.phones.wait_for_message(number)
        named, code = message.last_line
        assert named == host
        assert message.text.count(code) == 2 and "5" in message.text.split("\n")[0].replace(code, "")


# Templates of one's own.

@pytest.fixture
def folder(new_folder):
    return new_folder()


def write(folder, path, text):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def write_language(folder, locale):
    for kind in KINDS:
        for each in PARTS:
            write(folder, f"{locale}/{kind}.{each}", "Hoi {{service}}\n" if each == "subject" or kind not in ("code", "link") else
                  f"Hoi, {kind}:\n\n{{{{{kind}}}}}\n")


def test_a_directory_of_ones_own(make_site, folder, new_address):
    write(folder, "en/code.subject", "Welcome to Example Ltd.\n")
    write_language(folder, "nl")
    site = make_site(templates_directory=folder, templates_default_locale="nl")

    english = mail(site, new_address(), locale="en")
    assert english["Subject"] == "Welcome to Example Ltd."
    assert "Your sign-in code for" in part(english, "plain")
    dutch = mail(site, new_address(), accept="yy")
    assert dutch["Subject"].startswith("Hoi ")
    assert re.fullmatch(r"Hoi, code:\n\n\d{6}\n", part(dutch, "plain").replace("\r", ""))
    assert mail(site, new_address(), accept="de")["Subject"] == SUBJECTS["de"]


def test_a_broken_template_stops_the_start_by_its_name(new_folder, folder):
    broken = write(folder, "de/code.txt", "Ihr Code:\n\n{{code}}\n\n{{#login}}Anmeldung\n")
    otpgate = Otpgate(new_folder(), {"templates.directory": folder}).prepare()
    write(folder, "de/code.html", "{{> head}} {{code}} {{&code}}")

    for command in ("serve", "check-config"):
        done = otpgate.run(command, timeout=20)
        assert done.returncode == 2, done.stderr
        line, = done.stderr.strip().splitlines()
        assert str(folder / "de/code.html") + ":1: " in line and "templates.directory" in line
    (folder / "de/code.html").unlink()
    done = otpgate.run("serve", timeout=20)
    assert done.returncode == 2 and str(broken) in done.stderr


@pytest.mark.parametrize("key,value", [("templates.directory", "/nowhere/templates"), ("templates.default_locale", "xx")])
def test_a_setting_that_names_nothing_stops_the_start(new_folder, key, value):
    done = Otpgate(new_folder(), {key: value}).prepare().run("serve", timeout=20)

    assert done.returncode == 2
    line, = done.stderr.strip().splitlines()
    assert key in line and value in line


# The commands.

WRONG = {
    "de/code.subject": ("Code {{code}}\n", 1, "must not stand in the subject"),
    "de/code.txt": ("Ihr Code\n{{minuten}}\n{{code}}\n", 2, "unknown placeholder {{minuten}}"),
    "de/code.html": ("{{> kopf}}\n{{code}}\n", 1, "there is no layout/kopf.html"),
    "de/code.sms": ("Ihr Code\n", 1, "{{code}} is missing"),
    "de/new_sign_in.txt": ("{{time}}\n{{#device}}\n{{device}}\n", 2, "{{#device}} is not closed"),
    "de/new_sign_in.html": ("{{time}}\n\n{{/device}}\n", 3, "{{/device}} closes nothing"),
    "de/new_sign_in.sms": (b"Anmeldung\n\xe4\n", 2, "is not UTF-8"),
    "de/new_sign_in.subject": ("\n\n", 1, "is empty"),
    "de/password_changed.txt": ("{{{device}}}\n", 1, "not supported"),
    "de/password_changed.html": ("\n{{=<% %>=}}\n", 2, "not supported"),
    "de/password_changed.sms": ("{{time\n", 1, "}} is missing"),
    "de/password_changed.subject": ("{{#login}}x{{/login}}", 1, "unknown section {{#login}}"),
    "de/address_changed.txt": ("a\x07b\n", 1, "control character"),
    "de/address_changed.html": ("<p>" + "x" * 70000, 1, "larger than 64 KiB"),
    "de/address_changed.sms": ("{{> head}}", 1, "for the .html of a message alone"),
    "de/code.text": ("x", 1, "unknown file"),
    "README": ("x", 1, "unknown file"),
    "layout/foot.txt": ("x", 1, "unknown file"),
    "ru/code.txt": ("{{code}} {{#one}}минута{{/one}}{{#few}}минуты{{/few}}", 1, "the section {{#many}} is missing"),
    "pt/code.sms": ("{{code}} {{#login}}x{{/login}}", 1, "the section {{#reset}} is missing"),
    "es/code.txt": ("{{#login}}{{code}}{{/login}}{{^login}}{{code}}{{/login}}", 1, "stands in a section"),
}


def test_check_finds_all_that_is_wrong(site, folder):
    for path, (text, _, _) in WRONG.items():
        write(folder, path, text)

    done = templates(site, "check", str(folder))

    assert done.returncode == 1 and not done.stderr
    lines = done.stdout.splitlines()
    for path, (_, line, what) in WRONG.items():
        start = f"{folder / path}:{line}: "
        assert [each for each in lines if each.startswith(start) and what in each], (start, what, done.stdout)
    # Kinds that it lacks altogether are in English meanwhile.
    assert f"{folder}/ru/code.sms:1: is missing" in lines
    named = {line.split(":")[0] for line in lines}
    assert {str(folder / path) for path in WRONG} <= named
    assert named - {str(folder / path) for path in WRONG} == {
        f"{folder}/ru/code.{each}" for each in PARTS} - {f"{folder}/ru/code.txt"}


def test_check_and_list_the_built_in_templates(site):
    done = templates(site, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the templates are good\n", "")

    done = templates(site, "list")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{locale}\tbuilt-in" for locale in sorted(SUBJECTS)]


def test_check_and_list_what_the_settings_name(new_folder, folder):
    write(folder, "de/code.subject", "Hallo\n")
    write_language(folder, "nl")
    otpgate = Otpgate(new_folder(), {"templates.directory": folder}).prepare()

    assert templates(otpgate, "check").stdout == "the templates are good\n"
    lines = templates(otpgate, "list").stdout.splitlines()
    assert f"de\t1 of 52 files from {folder}" in lines and f"nl\t52 of 52 files from {folder}" in lines
    write(folder, "nl/code.sms", "{{cod}}")
    assert templates(otpgate, "check").returncode == 1


def test_show_renders_an_example(site):
    done = templates(site, "show", "de", "new_sign_in")
    assert done.returncode == 0
    for text in ("== subject\nNeue Anmeldung an Ihrem Konto bei login.example.org\n== txt\n", "2026-11-20 08:15 UTC", "== html\n", "== sms\n"):
        assert text in done.stdout
    assert templates(site, "show", "ja", "code", "sms").stdout == (
        "ログイン用コード：012345。10分間有効です。\n\n@login.example.org #012345\n")
    for arguments in (["show", "de"], ["show", "xx", "code"], ["show", "de", "codes"], ["show", "de", "code", "text"],
                      ["check", "a", "b"], ["list", "x"], ["delete"], []):
        assert templates(site, *arguments).returncode == 2, arguments
    assert templates(site, "check", "/nowhere").returncode == 2


# In a browser.

def test_an_arabic_mail_reads_from_right_to_left(site, address, folder):
    message = mail(site, address, locale="ar")
    code = code_in(message)
    page = write(folder, "mail.html", part(message, "html"))

    with open_browser(width=600, height=600) as driver:
        driver.get(page.as_uri())
        shown = driver.execute_script("""
            const code = [...document.querySelectorAll('bdi')].find(each => each.textContent === arguments[0]);
            const text = document.querySelector('p');
            const range = document.createRange();
            range.selectNodeContents(code);
            return {page: getComputedStyle(document.documentElement).direction, lang: document.documentElement.lang,
                    text: getComputedStyle(text).direction, code: getComputedStyle(code).direction,
                    title: document.title, isOnTheRight: range.getBoundingClientRect().right > 500};
        """, code)

    assert (shown["page"], shown["text"], shown["code"], shown["lang"]) == ("rtl", "rtl", "ltr", "ar")
    assert shown["isOnTheRight"] and shown["title"] == SUBJECTS["ar"]
