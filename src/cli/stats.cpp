// otpgate stats: how often what happened.
#include "api/audit_fields.h"
#include "cli/commands.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <iostream>

namespace otpgate::cli {

namespace {

std::optional<Timestamp> readEnd(const Invocation& invocation, const char* option, Timestamp TimeSpan::*end) {
    const auto text = invocation.value(option);
    if (!text) return std::nullopt;
    const auto span = parseDateOrTime(*text);
    if (!span) throw UsageError(std::string{option} + " is a date (2026-11-20) or RFC 3339, not " + *text);
    return (*span).*end;
}

domain::CountedBy readUnit(const Invocation& invocation) {
    const std::string text = invocation.value("--by").value_or("day");
    const auto unit = domain::parseCountedBy(text);
    if (!unit) throw UsageError("--by is day or hour, not " + text);
    return *unit;
}

void printPeriod(const domain::CountedPeriod& period) {
    for (const auto& [event, times] : period.events)
        std::cout << formatRfc3339(period.begin) << "  " << event << "  " << times << "\n";
}

std::string jsonOfPeriod(const domain::CountedPeriod& period) {
    http::JsonWriter json;
    json.beginObject().member("begin", formatRfc3339(period.begin)).key("events").beginObject();
    for (const auto& [event, times] : period.events) json.member(event, times);
    json.endObject().endObject();
    return json.take();
}

}  // namespace

int stats(const Invocation& invocation) {
    const domain::CountedBy unit = readUnit(invocation);
    const SystemClock clock;
    const auto span = domain::statisticsSpan(unit, readEnd(invocation, "--from", &TimeSpan::begin),
                                             readEnd(invocation, "--to", &TimeSpan::end), clock.now());
    if (!span) {
        throw UsageError("--from must be before --to, by at most " + std::to_string(domain::kMostPeriods) + " periods");
    }
    const auto database = db::openDatabase(invocation.settings().database);
    const auto connection = database->connect();
    const auto store = store::makeStatisticsStore(*connection);
    domain::UnfinishedHours unfinished;
    domain::Statistics statistics(*store, unfinished, clock);
    while (statistics.countUnfinishedOn()) {
    }
    const bool asJson = invocation.has("--json");
    bool isFirst = true;
    if (asJson) std::cout << "[";
    for (const domain::CountedPeriod& period : statistics.list(unit, *span).periods) {
        if (asJson)
            std::cout << (isFirst ? "\n" : ",\n") << jsonOfPeriod(period);
        else
            printPeriod(period);
        isFirst = false;
    }
    if (asJson) std::cout << "\n]\n";
    return 0;
}

}  // namespace otpgate::cli
