// The service as administrators see it: what waits to be sent, how often what happened, whether all is well.
#include "api/admin_fields.h"
#include "api/audit_fields.h"
#include "api/views.h"
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
    http::JsonWriter json;
    json.beginObject()
        .member("by", domain::toString(unit))
        .member("counted_until", optionalTime(statistics.countedUntil()))
        .key("periods")
        .beginArray();
    for (const domain::CountedPeriod& period : statistics.list(unit, *span)) {
        json.beginObject().member("begin", formatRfc3339(period.begin)).key("events").beginObject();
        for (const auto& [event, times] : period.events) json.member(event, times);
        json.endObject().endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response showServiceHealth(const http::Request&, const Administrator&, const Readiness& readiness,
                                 domain::Administration& people, domain::Statistics& statistics) {
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
        .endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
