"""What is shipped for Prometheus and Grafana: the rules fire when they should, and every metric that they name is told."""
import json
import pathlib
import re
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import ports
from support.process import Process

ETC = pathlib.Path(__file__).resolve().parents[2] / "etc"
RULES = ETC / "prometheus/otpgate.rules.yml"
DASHBOARD = ETC / "grafana/otpgate.json"
# What Prometheus makes itself.
ITS_OWN = {"up", "ALERTS"}


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_rules_are_rules_and_fire_when_they_should():
    code, told = promtool("check", "rules", str(RULES))
    assert code == 0, told
    code, told = promtool("test", "rules", str(RULES.with_name("otpgate.rules.test.yml")))
    assert code == 0 and "SUCCESS" in told, told


def test_every_rule_has_been_seen_to_fire():
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    tested = re.findall(r'\{alertname="(\w+)"\}', RULES.with_name("otpgate.rules.test.yml").read_text())
    assert len(alerts) > 10 and sorted(alerts) == sorted(tested)


def expressions():
    """All of the rules and of the dashboard, without what Grafana puts in."""
    found = re.findall(r"expr: (?:>\n)?((?:.+\n)(?:          .+\n)*)", RULES.read_text())
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        assert panel["title"] and panel["targets"]
        found += [target["expr"] for target in panel["targets"]]
    return [text.replace("$__rate_interval", "5m").replace("$job", "otpgate").replace("$instance", ".*") for text in found]


def names_in(expression):
    return set(re.findall(r"\b(?:otpgate|process)_\w+", expression)) - ITS_OWN


def test_every_metric_is_told(make_site, new_address):
    site = make_site("mysql", metrics_allowed_addresses="192.0.2.9")
    site.login(new_address())
    told = set()
    for family in text_string_to_metric_families(site.get("/metrics", client_ip="192.0.2.9").text):
        told |= {sample.name for sample in family.samples}
    named = set().union(*map(names_in, expressions()))
    assert len(named) > 20 and not named - told, named - told


@pytest.fixture
def prometheus(new_folder):
    """prometheus(site): its address, when it has scraped the site three times."""
    running = []

    def start(site):
        folder = new_folder()
        folder.mkdir()
        port = ports.free_port()
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{RULES}']\n"
            f"scrape_configs: [{{job_name: otpgate, static_configs: [{{targets: ['localhost:{site.web.port}']}}]}}]\n")
        process = Process("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                                         f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log")
        process.start()
        running.append(process)
        url = f"http://127.0.0.1:{port}"

        def has_scraped():
            process.require_running()
            return ports.is_open(port) and ask(url, "count_over_time(up[1m]) > 2 and up == 1")

        ports.wait_until(has_scraped, 60, "Prometheus has scraped", interval=0.5)
        return url

    yield start
    for process in running:
        process.stop()


def ask(url, expression):
    code, told = promtool("query", "instant", url, expression)
    assert code == 0, (expression, told)
    return told.strip()


@pytest.mark.long
def test_a_real_prometheus_answers_every_expression(make_site, new_address, prometheus):
    # As Prometheus on the same host asks: by the loopback address.
    site = make_site("mysql", metrics_allowed_addresses="127.0.0.1, ::1")
    site.login(new_address())
    url = prometheus(site)
    empty = [text for text in expressions() if ">" not in text and "==" not in text and not ask(url, text)]
    assert not empty
    for text in expressions():
        ask(url, text)
