// What the tests of endpoints share: the services that endpoints use, over stores that answer what the test sets, and
// what an endpoint answers as a client would read it.
#pragma once

#include "api/endpoints.h"
#include "otpgate/base/errors.h"
#include "otpgate/http/errors.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_account_store.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_otp_store.h"
#include "support_cpp/fake_session_store.h"
#include "support_cpp/fake_signing_key_store.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace otpgate::test {

// An answer, taken apart.
struct Answer {
    explicit Answer(http::Response answer) : status(answer.status), response(std::move(answer)) {
        if (!response.body.empty()) body = Poco::JSON::Parser().parse(response.body).extract<Poco::JSON::Object::Ptr>();
    }

    bool has(const std::string& member) const { return body && body->has(member); }
    // A member as text: "true", "3"; "" where it is absent.
    std::string text(const std::string& member) const {
        return has(member) ? body->get(member).convert<std::string>() : std::string{};
    }
    std::string code() const { return text("code"); }
    // The first field that is wrong.
    std::string field() const {
        return has("errors") ? body->getArray("errors")->getObject(0)->get("field").convert<std::string>() : "";
    }
    // The first header of this name, or "".
    std::string header(std::string_view name) const {
        const auto found = std::ranges::find(response.headers, name, [](const auto& each) { return each.first; });
        return found == response.headers.end() ? std::string{} : found->second;
    }
    // The value of the Set-Cookie with this name; "absent" where there is none.
    std::string cookie(std::string_view name) const {
        for (const auto& [header, value] : response.headers) {
            if (header != "Set-Cookie" || !value.starts_with(std::string{name} + "=")) continue;
            return value.substr(name.size() + 1, value.find(';') - name.size() - 1);
        }
        return "absent";
    }

    int status;
    http::Response response;
    Poco::JSON::Object::Ptr body;
};

class ApiFixture : public CppUnit::TestFixture {
public:
    void setUp() override {
        signingKeys_.reload(keyStore_, random_, clock_.now());
        user_.id = Uuid::makeV7(clock_.now(), random_);
        user_.username = "ann";
        user_.email = ann_.value();
        user_.emailVerified = true;
        user_.hasPassword = true;
        session_.id = Uuid::makeV7(clock_.now(), random_);
        session_.userId = user_.id;
        session_.deviceId = Uuid::makeV7(clock_.now(), random_);
        session_.createdAt = session_.authenticatedAt = clock_.now();
    }

protected:
    static http::Request post(std::string body, std::map<std::string, std::string, std::less<>> headers = {}) {
        http::Request request;
        request.method = "POST";
        request.contentType = "application/json";
        request.body = std::move(body);
        request.headers = std::move(headers);
        request.clientAddress = "192.0.2.7";
        request.clientNetwork = "192.0.2.7";
        request.requestId = "request-1";
        return request;
    }
    static http::Request get(std::map<std::string, std::string, std::less<>> headers = {}) {
        http::Request request = post("", std::move(headers));
        request.method = "GET";
        request.contentType.clear();
        return request;
    }
    // What the endpoint returns, or what the boundary makes of the error that it throws.
    template <typename Call>
    static Answer answerOf(Call call) {
        try {
            return Answer(call());
        } catch (const http::ApiError& error) {
            return Answer(error.toResponse("request-1"));
        }
    }

    static domain::OtpSettings limited() {
        domain::OtpSettings settings;
        settings.disclosure = domain::Disclosure::Reveal;
        settings.requestsPerDestination = domain::LimitRule::parse("5/1h").value();
        settings.requestsPerClient = domain::LimitRule::parse("30/1h").value();
        settings.guessesPerDestination = domain::LimitRule::parse("10/1h").value();
        return settings;
    }
    api::Caller caller() const { return {{session_, user_}, api::Credential::AccessToken}; }
    domain::SignIn signIn() const { return {false, user_, session_.id, session_.deviceId.value(), "otp"}; }
    // What the store says of the next guesses.
    void answerGuess(domain::OtpVerifyResult::Outcome outcome, domain::Purpose purpose = domain::Purpose::Login) {
        otpStore_.verifyResult = {.outcome = outcome,
                                  .attemptsLeft = 1,
                                  .hits = domain::packTime(clock_.now()),
                                  .channel = domain::Channel::Email,
                                  .purpose = purpose,
                                  .destination = ann_,
                                  .signIn = std::nullopt};
        if (outcome == domain::OtpVerifyResult::Outcome::Verified && purpose == domain::Purpose::Login) {
            otpStore_.verifyResult.signIn = signIn();
        }
    }
    // What the store says of the next requests for a code.
    void answerRequest(domain::OtpRequestResult::Outcome outcome) {
        otpStore_.answer = [this, outcome](const domain::NewOtpRequest& request) {
            return domain::OtpRequestResult{outcome, domain::packTime(clock_.now()), request.id, request.expiresAt};
        };
    }

    FakeClock clock_;
    CountingRandom random_;
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    const domain::Destination ann_ = domain::Destination::parse("ann@example.org").value();
    domain::User user_;
    domain::Session session_;

    FakeOtpStore otpStore_;
    FakeSessionStore sessionStore_;
    FakeAccountStore accountStore_;
    FakeSigningKeyStore keyStore_;
    FakeMessenger messenger_;

    domain::SigningKeys signingKeys_{ring_, std::chrono::seconds{900}};
    const domain::OtpCodes otpCodes_{ring_, {}, "123456"};  // so that the tests know the right code
    domain::OtpMetrics metrics_;
    domain::ProcessCounts unknownGuesses_;
    domain::UnansweredGuesses unansweredGuesses_;
    crypto::PasswordGate gate_{{.cost = {.memoryKib = 64, .iterations = 1}, .slots = 1, .queue = 0}, random_};
    const domain::PasswordPolicy policy_{2, "example.org"};
    const domain::OtpSettings otpSettings_ = limited();

    domain::SessionService sessions_{sessionStore_,
                                     signingKeys_,
                                     ring_,
                                     clock_,
                                     random_,
                                     {domain::TokenFormat::Jwt, "https://login.example.org", "shop",
                                      std::chrono::seconds{900}, std::chrono::hours{168}}};
    domain::OtpService codes_{otpStore_, messenger_,      otpCodes_,          ring_,        clock_, random_,
                              metrics_,  unknownGuesses_, unansweredGuesses_, otpSettings_, {}};
    domain::PasswordService passwords_{
        accountStore_, gate_,   policy_,
        clock_,        random_, {domain::LimitRule::parse("10/1h").value(), domain::LimitRule::parse("30/1h").value()},
        messenger_,    {}};
    api::ApiSettings settings_;
};

}  // namespace otpgate::test
