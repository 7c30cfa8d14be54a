// The service as administrators see it: what waits to be sent, how often what happened, whether all is well.
#include "api/admin_fields.h"
#include "api/audit_fields.h"
#include "api/finding_fields.h"
#include "api/otp_fields.h"
#include "api/rate_limit.h"
#include "api/views.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"

#include <array>

namespace otpgate::api {

namespace {

using domain::CountedBy;
using http::ApiError;
using http::ErrorCode;
using Which = domain::OutboxAdminStore::Which;

constexpr std::array<AuditParameter, 2> kSpan{{{"from_date", &setAuditBegin}, {"to_date", &setAuditEnd}}};

Which whichOf(const http::Request& request) {
    const std::string state = request.queryParameter("state").value_or("");
    if (state.empty() || state == "all") return Which::All;
    if (state == "dead") return Which::Dead;
    throw ApiError(ErrorCode::ValidationError).field("state", "must be all or dead");
}

CountedBy unitOf(const http::Request& request) {
    const auto text = request.queryParameter("by");
    if (!text || text->empty()) return CountedBy::Day;
    const auto unit = domain::parseCountedBy(*text);
    if (!unit) throw ApiError(ErrorCode::ValidationError).field("by", "must be day or hour");
    return *unit;
}

// Why it was not sent is told to an administrator as it is to the command: see `otpgate outbox retry`.
http::Response answerOf(domain::SentAgain sent) {
    using Outcome = domain::SentAgain::Outcome;
    switch (sent.outcome) {
    case Outcome::Done: return http::Response::noContent();
    case Outcome::Refused: throw ApiError(ErrorCode::Conflict, sent.reason).member("reason", std::move(sent.reason));
    case Outcome::NoSuchMessage: break;
    }
    throw ApiError(ErrorCode::NotFound);
}

constexpr std::string_view kBusy = "This is being done already. Please try again in a moment.";

void writeKey(http::JsonWriter& json, const domain::ListedKey& key) {
    json.beginObject()
        .member("kid", key.keyId)
        .member("alg", toString(key.algorithm))
        .member("signs_from", formatRfc3339(key.activeFrom))
        .member("state", toString(key.state))
        .endObject();
}

}  // namespace

http::Response listMessages(const http::Request& request, const Administrator&, domain::Administration& people) {
    const auto page = people.listMessages(whichOf(request), idCursorOf(request), limitOf(request));
    http::JsonWriter json;
    json.beginObject().key("messages").beginArray();
    for (const domain::OutboxEntry& entry : page.entries) writeMessage(json, entry);
    json.endArray();
    writeNextCursor(json, page.next ? std::optional{page.next->toString()} : std::nullopt);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response sendMessageAgain(const http::Request& request, const Administrator& caller,
                                domain::Administration& people) {
    return answerOf(people.sendAgain(idOf(request), actingClient(request, caller)));
}

http::Response sendUsersLastMessageAgain(const http::Request& request, const Administrator& caller,
                                         domain::Administration& people) {
    return answerOf(people.sendLastAgain(idOf(request), actingClient(request, caller)));
}

http::Response showStatistics(const http::Request& request, const Administrator&, domain::Statistics& statistics,
                              const Clock& clock) {
    const CountedBy unit = unitOf(request);
    domain::AuditFilter asked;
    readAuditParameters(request, kSpan, asked);
    const auto span = domain::statisticsSpan(unit, asked.since, asked.before, clock.now());
    if (!span) {
        throw ApiError(ErrorCode::ValidationError)
            .field("from_date",
                   "must be before to_date, by at most " + std::to_string(domain::kMostPeriods) + " periods");
    }
    const auto listed = statistics.list(unit, *span);
    http::JsonWriter json;
    json.beginObject()
        .member("by", domain::toString(unit))
        .member("counted_until", optionalTime(listed.countedUntil))
        .member("until", formatRfc3339(listed.until))
        .key("periods")
        .beginArray();
    for (const domain::CountedPeriod& period : listed.periods) {
        json.beginObject().member("begin", formatRfc3339(period.begin)).key("events").beginObject();
        for (const auto& [event, times] : period.events) json.member(event, times);
        json.endObject().endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response showServiceHealth(const http::Request&, const Administrator&, const Readiness& readiness,
                                 domain::Administration& people, domain::Statistics& statistics,
                                 const PublishedKeys& keys, const Clock& clock) {
    http::JsonWriter json;
    json.beginObject().key("checks").beginArray();
    for (const ReadinessCheck& check : readiness()) {
        json.beginObject()
            .member("name", check.name)
            .member("fault", unlessEmpty(check.fault))
            .member("detail", unlessEmpty(check.detail))
            .endObject();
    }
    const domain::OutboxLevels levels = people.outboxLevels();
    json.endArray()
        .key("messages")
        .beginObject()
        .member("waiting", levels.waiting)
        .member("dead", levels.dead)
        .member("oldest_since", optionalTime(levels.oldest))
        .endObject()
        .member("statistics_counted_until", optionalTime(statistics.countedUntil()))
        .key("signing_keys")
        .beginArray();
    for (const domain::SigningKeys* const each : {&keys.access, &keys.id})
        for (const domain::ListedKey& key : each->list(clock.now())) writeKey(json, key);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response showFindings(const http::Request&, const Administrator&, const Examination& examination) {
    const auto findings = examination();
    if (!findings) throw ApiError(ErrorCode::Conflict).detail(std::string{kBusy});
    http::JsonWriter json;
    writeFindings(json, *findings);
    return jsonResponse(200, json);
}

http::Response sendTestMessage(const http::Request& request, const Administrator& caller,
                               domain::Administration& people, domain::TestSender& sender,
                               const ApiSettings& settings) {
    http::JsonBody body(request);
    const auto recipient = readDestination(settings, body, "destination");
    body.rejectInvalid();
    const auto test = people.sendTest(recipient.value(), sender, actingClient(request, caller));
    switch (test.outcome) {
    case domain::TestMessage::Outcome::Tried: break;
    case domain::TestMessage::Outcome::Busy: throw ApiError(ErrorCode::Conflict).detail(std::string{kBusy});
    case domain::TestMessage::Outcome::Limited: throw limitError(ErrorCode::RateLimit, test.limit);
    }
    http::JsonWriter json;
    json.beginObject().member("sent", test.sending.isSent).key("said").beginArray();
    for (const std::string_view line : split(trim(test.sending.said, "\n"), '\n')) json.value(line);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
