"""One language for everything: the tables of the page (www/texts) and of the API (etc/texts), and how one is chosen."""
import gzip
import html
import json
import pathlib
import re
import shutil

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from browser import open_browser, set_languages, set_size
from login_page import LoginPage
from support import sentences
from support.nginx import WWW, Nginx
from support.site import WITH_SOCKET, Site

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "www"
LANGUAGES = sentences.LANGUAGES
OTHERS = [language for language in LANGUAGES if language != "en"]
SIGN_IN = {"ar": "تسجيل الدخول", "de": "Anmelden", "en": "Sign in", "es": "Iniciar sesión", "fr": "Se connecter", "hi": "साइन इन करें",
           "ja": "ログイン", "pt": "Entrar", "tr": "Giriş yap", "zh": "登录"}
REQUEST = "/api/v1/auth/otp/request"


# The tables.

def sentences_of_the_page():
    return sentences_in(PAGE / "index.html", PAGE / "js")


def sentences_behind(*folders):
    """Those of pages behind the sign-in that no table before theirs has: /admin/ reads all three."""
    known = sentences_of_the_page()
    for folder in folders:
        own = sentences_in(PAGE / folder / "index.html", PAGE / folder) - known
        known |= own
    return own


def sentences_in(page, scripts):
    """Every English sentence: the marked ones of the HTML, and what the scripts hand to t() and parts()."""
    found = {html.unescape(" ".join(text.split())) for text in re.findall(r"\sdata-text>([^<]+)<", page.read_text())}
    for file in scripts.glob("*.js"):
        for call in re.findall(r"\b(?:t|parts)\(\s*((?:[\w.?]+ \? )?\"[^\"]+\"(?: : \"[^\"]+\")?)", file.read_text()):
            found |= set(re.findall(r'"([^"]+)"', call))
    return found


def test_the_same_languages_everywhere():
    folders = {folder.name for folder in (ROOT / "etc/templates").iterdir()} - {"layout"}
    assert sorted(folders) == LANGUAGES
    for page in (PAGE, PAGE / "account", PAGE / "admin"):
        options = re.findall(r'<option value="(\w+)" lang="\1"', (page / "index.html").read_text())
        paragraphs = re.findall(r'<p lang="(\w+)"', (page / "index.html").read_text())
        assert LANGUAGES == sorted(options) == sorted(paragraphs)
        assert sorted(file.stem for file in (page / "texts").iterdir()) == OTHERS


def assert_translates(table, originals):
    assert sorted(set(originals) - set(table)) == [], "missing"
    assert sorted(set(table) - set(originals)) == [], "unused"
    for original, text in table.items():
        forms = text if isinstance(text, dict) else {"": text}
        for form, each in forms.items():
            # "One attempt", "two attempts" need no number.
            may_lack = {"count"} if form in ("zero", "one", "two") else set()
            assert set(sentences.placeholders(original)) - may_lack <= set(sentences.placeholders(each)) \
                <= set(sentences.placeholders(original)), each
            assert each.strip() == each != "", original


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_page_and_no_other(language):
    assert_translates(sentences.read_table(PAGE / f"texts/{language}.json"), sentences_of_the_page())
    assert_translates(sentences.read_table(PAGE / f"account/texts/{language}.json"), sentences_behind("account"))
    assert_translates(sentences.read_table(PAGE / f"admin/texts/{language}.json"), sentences_behind("account", "admin"))


def literals_of_the_api():
    """Every string literal of the code that answers, adjacent ones joined."""
    found = set()
    for folder in ("api", "http", "domain"):
        for file in (ROOT / "src" / folder).rglob("*"):
            if file.suffix in (".cpp", ".h"):
                joined = re.sub(r'"\s*\n\s*"', "", file.read_text())
                found |= set(re.findall(r'"((?:[^"\\\n]|\\.)*)"', joined))
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_api_and_no_other(language):
    table = sentences.read_table(sentences.TABLES / f"{language}.json")
    assert_translates(table, sentences.read_table(sentences.TABLES / "de.json"))
    literals = literals_of_the_api()
    for sentence in table:
        for piece in re.split(r"\{\w+\}", sentence):
            assert piece in ("", " ", ".") or piece in literals, f"the code does not say '{piece}'"
    assert all(isinstance(text, str) for text in table.values())


def test_what_the_code_says_is_in_the_tables():
    """By how it is said; support/openapi.py looks at every answer of every test besides."""
    said = set()
    for file in (ROOT / "src/api").glob("*.*"):
        text = re.sub(r'"\s*\n\s*"', "", file.read_text())
        said |= set(re.findall(r'\.detail\("([^"]+)"\)', text))
        said |= set(re.findall(r'(?:noteInvalid|\.field)\([\w.>"-]+,\s*"([^"]+)"\)', text))
        said |= set(re.findall(r'string_view k\w+ =?\s*\{?"([^"]* [^"]*)"', text)) - {'ApiKey realm=\\'}
        said |= set(re.findall(r'messageResponse\("([^"]+)"', text))
    errors = re.sub(r'"\s*\n\s*"', "", (ROOT / "src/http/errors.cpp").read_text())
    for title, detail in re.findall(r'\{"[A-Z_]+", \d+, "([^"]+)",\s*"([^"]+)"\}', errors):
        said |= {title, detail}
    said |= set(re.findall(r'return "([A-Z][^"]+\.)"', (ROOT / "src/domain/password_policy.cpp").read_text()))
    assert len(said) > 80
    assert sorted(text for text in said if not sentences.is_known(text)) == []


# The page.

@pytest.fixture
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture(scope="module")
def site(new_folder):
    with Site(new_folder(), settings={"limits.request_per_client": "1000/1h"}) as running:
        yield running


@pytest.fixture
def page(browser, site):
    return LoginPage(browser, site)


def language_of(page):
    root = page.driver.find_element(By.TAG_NAME, "html")
    return root.get_attribute("lang"), root.get_attribute("dir")


def switch(page, language):
    Select(page["language"]).select_by_value(language)
    page.wait(lambda: language_of(page)[0] == language, f"the page does not turn to {language}")


def test_plural_forms_are_those_of_each_language(page):
    page.open()
    for language in OTHERS:
        wanted = page.driver.execute_script(
            "return new Intl.PluralRules(arguments[0]).resolvedOptions().pluralCategories", language)
        for text in sentences.read_table(PAGE / f"texts/{language}.json").values():
            if isinstance(text, dict):
                assert sorted(text) == sorted(wanted), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_sign_in_in_each_language(page, address, language):
    set_languages(page.driver, f"{language}-XX,{language}" if language != "zh" else "zh-CN")
    page.open()
    assert language_of(page) == (language, "rtl" if language == "ar" else "ltr")
    assert page.heading() == page.driver.title == SIGN_IN[language]
    code = page.ask_for_code(address)
    table = sentences.read_table(PAGE / f"texts/{language}.json") if language != "en" else {}
    told = table.get("We sent a code to {address}.", "We sent a code to {address}.").replace("{address}", address)
    assert page["code-sent"].text == told
    page.enter_code(code)
    page.see("sign-out")
    assert page.heading() == table.get("You are signed in", "You are signed in")


def test_the_switch_is_remembered_and_keeps_what_was_typed(page, site, address):
    page.open()
    page["address"].send_keys(address)
    switch(page, "de")
    assert page.heading() == page.driver.title == "Anmelden"
    assert page["address"].get_attribute("value") == address
    page["address-submit"].click()
    page.see("code")
    message = site.mailbox.wait_for_message(address)
    assert message["Subject"] == "Ihr Anmeldecode für localhost"  # The wish counts for messages too.
    switch(page, "fr")
    assert page["code-submit"].text == "Se connecter"
    page.driver.get(page.site.url)
    page.see("code")
    assert language_of(page) == ("fr", "ltr")
    assert Select(page["language"]).first_selected_option.text == "Français"


def test_the_address_names_a_language_until_the_switch_does(page):
    page.driver.get(page.site.url + "/?lang=xx,ja-JP,de")
    page.see("address")
    assert language_of(page)[0] == "ja"
    switch(page, "tr")
    assert page.driver.current_url == page.site.url + "/"
    page.driver.refresh()
    page.see("address")
    assert language_of(page)[0] == "tr"
    page.driver.get(page.site.url + "/?lang=xx")
    page.see("address")
    assert language_of(page)[0] == "tr"


def test_the_accounts_language_counts_before_the_browsers(page, site, address):
    login = site.login(address)
    assert site.request("PATCH", "/api/v1/auth/profile", json={"locale": "es"}, token=login["access"]).status_code == 200
    page.open()
    page.sign_in(address)
    page.wait(lambda: language_of(page)[0] == "es", "the page does not turn to the account's language")
    assert page["sign-out"].text == "Cerrar sesión"
    page["sign-out"].click()
    page.see("address")
    page.wait(lambda: language_of(page)[0] == "en", "the next visitor finds the language of the one before")


def test_who_wants_none_of_them_gets_the_servers(browser, make_site):
    page = LoginPage(browser, make_site(**{"templates.default_locale": "fr"}))
    set_languages(browser, "nl-NL,nl")
    page.open()
    assert language_of(page) == ("fr", "ltr")


def test_the_switch_tells_the_account(page, site, address):
    page.open()
    page.sign_in(address)
    switch(page, "pt")
    assert page["sign-out"].text == "Sair"
    page.wait(lambda: site.sql("SELECT locale FROM users WHERE email = '%s'" % address) == [["pt"]], "the account is not told")


@pytest.mark.parametrize("urls", [["*/texts/*"], ["*/texts/de.json"]], ids=["none", "german"])
def test_without_a_table_the_page_is_english(page, address, urls):
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": urls})
    page.driver.get(page.site.url + "/?lang=de")
    page.see("address")
    assert language_of(page) == ("en", "ltr")
    page.sign_in(address)
    assert page["sign-out"].text == "Sign out"


def test_a_visitor_without_javascript_is_told_in_every_language(page):
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.driver.get(page.site.url)
    told = {p.get_attribute("lang"): p for p in page.driver.find_elements(By.CSS_SELECTOR, "#stuck p")}
    assert sorted(told) == LANGUAGES
    assert all(p.is_displayed() and "JavaScript" in p.text for p in told.values())
    assert page["stuck"].value_of_css_property("opacity") == "1"
    assert not page["language"].is_displayed()


def test_a_page_whose_scripts_do_not_start_is_never_blank(page):
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/js/main.js"]})
    page.driver.get(page.site.url)
    page.wait(lambda: page["stuck"].value_of_css_property("opacity") == "1", "the page stays blank")
    assert "This page needs JavaScript" in page["stuck"].text


def test_what_older_browsers_cannot_read_is_not_in_the_scripts():
    """Safari 15 and Firefox 102: one such expression, and none of the scripts starts."""
    for file in (PAGE / "js").glob("*.js"):
        text = file.read_text()
        for unreadable in ("(?<=", "(?<!", "/v;", "import.meta.resolve", ".toSorted(", ".findLast(", "Object.groupBy", "static {"):
            assert unreadable not in text, f"{file.name}: {unreadable}"
        assert text.count("requestSubmit()") == text.count("if (form.requestSubmit)"), file.name


def test_a_first_visit_weighs_little():
    """All that a sign-in loads, as a web server compresses it, with the largest table."""
    files = [PAGE / "index.html", PAGE / "favicon.svg", PAGE / "css/page.css", *(PAGE / "js").glob("*.js")]
    weight = sum(len(gzip.compress(file.read_bytes())) for file in files)
    tables = [len(gzip.compress(file.read_bytes())) for file in (PAGE / "texts").iterdir()]
    assert weight + max(tables) < 48_000, (weight, tables)


def test_all_scripts_are_asked_for_at_once():
    text = (PAGE / "index.html").read_text()
    named = re.findall(r'(?:modulepreload" href|module" src)="js/(\w+\.js)"', text)
    # send.js and check.js are of pages that are no step of the sign-in (src/api/html_page.h), and work.js and human.js are seldom needed.
    assert sorted([*named, "send.js", "check.js", "work.js", "human.js"]) == sorted(file.name for file in (PAGE / "js").glob("*.js"))


# The API.

@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_in_each_language(site, language):
    table = sentences.read_table(sentences.TABLES / f"{language}.json") if language != "en" else {}
    answer = site.post(REQUEST, {"destination": "nobody"}, headers={"Accept-Language": f"nl, {language};q=0.5"})
    told = answer.json()
    assert (answer.status_code, told["code"], told["type"]) == (400, "VALIDATION_ERROR", "/problems/validation-error")
    assert answer.headers["Content-Language"] == language
    english = {"title": "Invalid fields", "detail": "Some of the fields are not valid.",
               "message": "must be an e-mail address"}
    said = {"title": told["title"], "detail": told["detail"], "message": told["errors"][0]["message"]}
    assert said == {name: table.get(text, text) for name, text in english.items()}


def test_an_error_speaks_of_numbers_where_there_is_sms(sms_site):
    told = sms_site.post(REQUEST, {"destination": "nobody"}).json()
    assert told["errors"] == [{"field": "destination", "message": "must be an e-mail address or a telephone number such as +4930123456"}]


def test_wish_account_browser_and_default(make_site, new_address):
    site = make_site(**{"templates.default_locale": "pt"})
    address = new_address()
    login = site.login(address, locale="tr")
    site.request("PATCH", "/api/v1/auth/profile", json={"locale": "tr"}, token=login["access"])

    def language(accept=None, **fields):
        answer = site.request("PATCH", "/api/v1/auth/profile", json={"username": "", **fields}, token=login["access"],
                              headers={"Accept-Language": accept} if accept else {})
        assert answer.status_code == 400, answer.text
        return answer.headers["Content-Language"]

    assert language("fr", locale="ja_JP.UTF-8") == "ja"
    assert language("fr", locale="nl") == "tr"
    assert language("fr") == "tr"
    assert site.post(REQUEST, {}, headers={"Accept-Language": "fr"}).headers["Content-Language"] == "fr"
    assert site.post(REQUEST, {}, headers={"Accept-Language": "nl"}).headers["Content-Language"] == "pt"
    assert site.post(REQUEST, {}).headers["Content-Language"] == "pt"


def test_what_went_well_is_said_in_the_language_too(site, address):
    headers = {"Accept-Language": "de"}
    asked = site.post(REQUEST, {"destination": address}, headers=headers)
    masked = asked.json()["destination_masked"]
    assert asked.json()["detail"] == asked.json()["message"] == f"Ein Code ist unterwegs an {masked}."
    signed_in = site.post("/api/v1/auth/otp/verify", {"otp_id": asked.json()["otp_id"], "otp": site.mailbox.wait_for(address)},
                          headers=headers)
    assert signed_in.json()["detail"] == "Sie sind angemeldet."
    assert signed_in.headers["Content-Language"] == "de"
    # What says nothing has no language.
    me = site.get("/api/v1/auth/me", token=signed_in.json()["access"], headers=headers)
    assert "Content-Language" not in me.headers


# A language that nobody speaks: each sentence in brackets and half as long again.

def pseudo(text):
    letters = dict(zip("aeiouAEIOU", "äëïöüÄËÏÖÜ"))
    pieces = re.split(r"(\{\w+\})", text)
    longer = "".join(piece if piece.startswith("{") else "".join(letters.get(c, c) for c in piece) for piece in pieces)
    return f"⟦{longer}{' ẍẍẍẍ' * (len(text) // 10 + 1)}⟧"


@pytest.fixture
def pseudo_site(make_site, new_folder):
    """A site with this language in the place of German, and where its pages are."""
    site, folder = make_site(web=WITH_SOCKET), new_folder()
    www = folder / "www"
    www.mkdir(parents=True)
    for entry in WWW.iterdir():
        if entry.name not in ("api", "docs", "problems"):
            (shutil.copytree if entry.is_dir() else shutil.copy)(entry, www / entry.name)
    for table, originals in (("texts", sentences_of_the_page()), ("account/texts", sentences_behind("account")),
                             ("admin/texts", sentences_behind("account", "admin"))):
        (www / table / "de.json").write_text(json.dumps({sentence: pseudo(sentence) for sentence in originals}))
    web = Nginx(folder / "nginx", site.folder / "otpgate.sock", www=www)
    web.start()
    yield site, web.url
    web.stop()


def test_nothing_is_left_untranslated_or_too_wide(browser, pseudo_site, address):
    site, url = pseudo_site
    page = LoginPage(browser, site)

    def look():
        """Each text that is shown is a sentence of the table, or one of those that are no sentences."""
        texts = page.driver.execute_script("""
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
            const found = [];
            for (let e = walker.nextNode(); e; e = walker.nextNode()) {
                if (e.matches("#language, #language *, #site-name, bdi, time, input, svg *, .scale, #stuck *") || !e.checkVisibility()) continue;
                const own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
                if (own) found.push(e.textContent.trim());
            }
            return found;""")
        assert texts
        plain = [text for text in texts if not (text.startswith("⟦") and text.endswith("⟧"))]
        assert plain == [], plain
        page.assert_fits()

    set_size(page.driver, 320, 640)
    page.driver.get(url + "/?lang=de")
    page.see("address")
    look()
    page["address-submit"].click()
    page.text_of("address-error")
    look()
    code = page.ask_for_code(address)
    look()
    page.enter_code(f"{(int(code) + 1) % 10 ** 6:06}")
    page.text_of("code-error")
    look()
    page.enter_code(code)
    page.see("sign-out")
    look()

    site.otpgate.run("user", "make-admin", address)
    for part in ("profile", "addresses", "password", "factors", "sessions", "keys", "events", "data"):
        page.driver.get(f"{url}/account/#{part}")
        page.see(f"{part}-title")
        look()
    for part in ("people", "today", "events", "messages", "clients", "webhooks", "keys", "groups", "health"):
        page.driver.get(f"{url}/admin/#{part}")
        page.see(f"{part}-title")
        look()
    page.driver.get(f"{url}/admin/#people")
    page.see("people-search").send_keys(address + "\n")
    page.see("person-cause")
    look()
