#include "api/audit_fields.h"
#include "api/audit_rows.h"
#include "cli/commands.h"
#include "otpgate/store/stores.h"

#include <iostream>
#include <unistd.h>

namespace otpgate::cli {

namespace {

constexpr unsigned kEventsAtATime = 1'000;

enum class Format { Csv, Json };

struct Export {
    domain::AuditFilter filter;
    Format format = Format::Csv;
};

Export readOptions(const Invocation& invocation) {
    using Setter = std::optional<std::string_view> (*)(domain::AuditFilter&, std::string_view);
    constexpr std::pair<std::string_view, Setter> kFilters[] = {{"--from", &api::setAuditBegin},
                                                                {"--to", &api::setAuditEnd},
                                                                {"--event", &api::setAuditEvent},
                                                                {"--email", &api::setAuditDestination}};
    Export options;
    for (const auto& [name, set] : kFilters) {
        const auto value = invocation.value(std::string{name});
        if (!value) continue;
        if (const auto complaint = set(options.filter, *value))
            throw UsageError(std::string{name} + " " + std::string{*complaint});
    }
    const std::string format = invocation.value("--format").value_or("csv");
    if (format != "csv" && format != "json") throw UsageError("--format must be csv or json");
    if (format == "json") options.format = Format::Json;
    return options;
}

std::string formatted(const std::vector<domain::AuditEntry>& entries, Format format, bool isFirst) {
    std::string text;
    for (const auto& entry : entries) {
        if (format == Format::Csv) {
            api::appendAuditCsv(text, entry);
            continue;
        }
        http::JsonWriter json;
        api::writeAuditEntry(json, entry);
        text += (isFirst ? "" : ",\n") + json.take();
        isFirst = false;
    }
    return text;
}

}  // namespace

int audit(const Invocation& invocation) {
    const Export options = readOptions(invocation);
    db::DatabaseSettings databaseSettings = invocation.settings().database;
    // A filter that little matches may read a large table to find it.
    databaseSettings.answerTimeout = std::chrono::minutes{10};
    const auto database = db::openDatabase(databaseSettings);
    const auto connection = database->connect();
    const auto store = store::makeAuditStore(*connection);
    const bool showsProgress = isatty(STDERR_FILENO) != 0;

    std::cout << (options.format == Format::Csv ? api::kAuditCsvHeader : "[");
    std::uint64_t written = 0;
    std::optional<Uuid> last;
    for (;;) {
        const auto entries = store->next(options.filter, last, kEventsAtATime);
        std::cout << formatted(entries, options.format, written == 0);
        written += entries.size();
        if (showsProgress) std::cerr << "\r" << written << " events" << std::flush;
        // Whoever read us (head, less) may have seen enough.
        if (entries.size() < kEventsAtATime || !std::cout) break;
        last = entries.back().id;
    }
    if (options.format == Format::Json) std::cout << "]\n";
    if (showsProgress) std::cerr << "\n";
    std::cout.flush();
    if (!std::cout) {
        std::cerr << "otpgate: the output could not be written\n";
        return 1;
    }
    return 0;
}

}  // namespace otpgate::cli
