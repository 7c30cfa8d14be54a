"""What must hold however many ask at once; on both engines."""
import collections
import concurrent.futures
import threading


def at_once(count, function):
    """function(0) ... function(count - 1), each in a thread of its own, all let go at the same moment."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return function(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def outcomes(answers):
    return collections.Counter(
        "ok" if answer.status_code < 300 else answer.json()["code"] for answer in answers
    )


def test_of_16_concurrent_right_answers_exactly_one_wins(site, address):
    otp_id, code = site.request_code(address)

    found = outcomes(at_once(16, lambda _: site.verify(otp_id, code)))

    assert found["ok"] == 1, found
    assert set(found) <= {"ok", "OTP_USED", "MAX_RETRIES_EXCEEDED"}


def test_40_concurrent_requests_for_one_address_send_exactly_5_codes(site, address):
    answers = at_once(
        40, lambda number: site.post("/api/v1/auth/otp/request", {"destination": address}, client_ip=f"198.51.100.{number}")
    )

    assert outcomes(answers) == {"ok": 5, "RATE_LIMIT": 35}
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) > 0


def test_40_concurrent_requests_of_one_client_are_counted_exactly(make_site, new_address, engine):
    site = make_site(engine, limits_request_per_client="30/1h")
    addresses = [new_address() for _ in range(40)]

    answers = at_once(
        40, lambda number: site.post("/api/v1/auth/otp/request", {"destination": addresses[number]}, client_ip="192.0.2.7")
    )

    assert outcomes(answers) == {"ok": 30, "RATE_LIMIT": 10}


def test_16_concurrent_wrong_guesses_at_one_code_get_exactly_3_tries(site, address):
    otp_id, code = site.request_code(address)
    wrong = str((int(code) + 1) % 10**6).zfill(6)

    answers = at_once(16, lambda number: site.verify(otp_id, wrong, client_ip=f"203.0.113.{number}"))

    assert outcomes(answers) == {"INVALID_OTP": 3, "MAX_RETRIES_EXCEEDED": 13}
    assert sorted(a.json()["attempts_remaining"] for a in answers if a.status_code == 400) == [0, 1, 2]


def test_100_wrong_guesses_over_10_codes_and_10_client_addresses_are_compared_exactly_10_times(make_site, address, engine):
    # With a new code whenever the attempts of the last one are used up: only the destination's budget is left to stop it.
    site = make_site(engine, limits_request_per_destination="1000/1h")
    answers = []
    for _ in range(10):
        otp_id, code = site.request_code(address)
        wrong = str((int(code) + 1) % 10**6).zfill(6)
        answers += at_once(10, lambda number: site.verify(otp_id, wrong, client_ip=f"203.0.113.{number}"))

    assert outcomes(answers) == {"INVALID_OTP": 10, "MAX_RETRIES_EXCEEDED": 90}

    # And the right answer is no longer told from a wrong one.
    otp_id, code = site.request_code(address)
    refused = site.verify(otp_id, code)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_concurrent_refreshes_with_one_token_all_get_the_same_successor(site, address):
    refresh = site.login(address)["refresh"]

    answers = at_once(16, lambda _: site.post("/api/v1/auth/token/refresh", {"refresh": refresh}))

    assert outcomes(answers) == {"ok": 16}
    assert len({answer.json()["refresh"] for answer in answers}) == 1


def test_concurrent_first_logins_of_one_address_make_one_user(make_site, address, engine):
    # Several codes of different purposes cannot log in, so: one code, verified 8 times, beside 8 logins of others.
    site = make_site(engine)
    others = [site.request_code(f"{number}-{address}") for number in range(8)]
    otp_id, code = site.request_code(address)

    answers = at_once(
        16, lambda number: site.verify(*others[number // 2]) if number % 2 else site.verify(otp_id, code)
    )

    assert outcomes(answers[1::2]) == {"ok": 8}
    assert outcomes(answers[0::2])["ok"] == 1
    assert len({a.json()["user"]["id"] for a in answers if a.status_code == 200}) == 9


def test_more_clients_than_threads_are_all_answered(make_site, engine):
    site = make_site(engine, server_threads="2")

    answers = at_once(40, lambda number: site.post("/api/v1/auth/otp/request", {"destination": f"p{number}@example.com"}))

    assert outcomes(answers) == {"ok": 40}
