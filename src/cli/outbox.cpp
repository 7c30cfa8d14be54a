// otpgate outbox: what waits to be sent and what could not be, by hand.
#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/settings_reader.h"
#include "otpgate/crypto/random.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <functional>
#include <iostream>

namespace otpgate::cli {

using domain::OutboxEntry;
using domain::OutboxState;
using Which = domain::OutboxAdminStore::Which;

namespace {

constexpr unsigned kMessagesAtATime = 500;
constexpr std::string_view kPurged = "purged by an administrator";

struct Options {
    std::vector<Uuid> ids;
    Which which = Which::All;
    bool takesAll = false;
    std::optional<std::chrono::milliseconds> olderThan;
};

Options read(const Invocation& invocation) {
    Options options;
    for (const std::string& word : invocation.words) {
        const auto id = Uuid::parse(word);
        if (!id) throw UsageError("not the id of a message: " + word);
        options.ids.push_back(*id);
    }
    if (invocation.has("--dead")) options.which = Which::Dead;
    if (const auto age = invocation.value("--older-than")) {
        options.olderThan.emplace();
        if (!parseDuration(*age, *options.olderThan)) throw UsageError("not a duration such as 12h or 7d: " + *age);
    }
    const bool purgesDead = invocation.has("--dead") && options.ids.empty();
    options.takesAll = invocation.has("--all") || options.olderThan || purgesDead;
    if (options.takesAll && !options.ids.empty()) throw UsageError("say either which messages, or their ids");
    return options;
}

std::string_view subjectOf(const domain::OutboxMessage& message) {
    return domain::carriesSecret(message.kind) ? toString(message.purpose) : toString(message.kind);
}

std::string ageOf(const OutboxEntry& entry, Timestamp now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now - entry.message.createdAt).count();
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

std::string paddedTo(std::string_view text, std::size_t width) {
    std::string field{text};
    field.resize(std::max(field.size(), width), ' ');
    return field;
}

void printEntry(const OutboxEntry& entry, Timestamp now) {
    const domain::OutboxMessage& message = entry.message;
    std::cout << message.id.toString() << "  " << paddedTo(toString(entry.state), 7) << "  "
              << paddedTo(subjectOf(message), 16) << "  " << paddedTo(toString(message.destination.channel()), 5)
              << "  " << paddedTo(message.destination.masked(), 24) << "  " << message.attempts << " tries  "
              << paddedTo(ageOf(entry, now), 4) << "  " << entry.lastError << "\n";
}

std::string jsonOfEntry(const OutboxEntry& entry) {
    const domain::OutboxMessage& message = entry.message;
    const auto member = [](http::JsonWriter& json, std::string_view name, std::optional<Timestamp> time) {
        json.member(name, time ? std::optional<std::string>{formatRfc3339(*time)} : std::nullopt);
    };
    http::JsonWriter json;
    json.beginObject()
        .member("id", message.id.toString())
        .member("state", toString(entry.state))
        .member("kind", toString(message.kind))
        .member("purpose", domain::carriesSecret(message.kind) ? std::optional<std::string>{toString(message.purpose)}
                                                               : std::nullopt)
        .member("channel", toString(message.destination.channel()))
        .member("destination_masked", message.destination.masked())
        .member("attempts", std::int64_t{message.attempts})
        .member("last_error", entry.lastError.empty() ? std::nullopt : std::optional<std::string>{entry.lastError});
    member(json, "created_at", message.createdAt);
    member(json, "expires_at", message.expiresAt);
    member(json, "available_at", entry.diedAt ? std::nullopt : std::optional{message.availableAt});
    member(json, "died_at", entry.diedAt);
    json.endObject();
    return json.take();
}

void forEach(domain::OutboxAdminStore& store, Which which, const Clock& clock,
             const std::function<void(const OutboxEntry&)>& visit) {
    Uuid last;
    while (true) {
        const auto entries = store.list(which, last, kMessagesAtATime, clock.now());
        for (const OutboxEntry& entry : entries) visit(entry);
        if (entries.size() < kMessagesAtATime) return;
        last = entries.back().message.id;
    }
}

int listEntries(domain::OutboxAdminStore& store, const Options& options, const Clock& clock, bool asJson) {
    bool isFirst = true;
    if (asJson) std::cout << "[";
    forEach(store, options.which, clock, [&](const OutboxEntry& entry) {
        if (asJson)
            std::cout << (isFirst ? "\n" : ",\n") << jsonOfEntry(entry);
        else
            printEntry(entry, clock.now());
        isFirst = false;
    });
    if (asJson) std::cout << "\n]\n";
    return 0;
}

// Why a message cannot be had now; nullopt after it was done.
using Action = std::function<std::optional<std::string>(const OutboxEntry&)>;

int change(domain::OutboxAdminStore& store, const Options& options, const Clock& clock, std::string_view done,
           const Action& action) {
    int changed = 0;
    int left = 0;
    const auto tryOne = [&](const OutboxEntry& entry) {
        const auto reason = action(entry);
        ++(reason ? left : changed);
        if (reason) std::cerr << "otpgate: " << entry.message.id.toString() << ": " << *reason << "\n";
    };
    for (const Uuid& id : options.ids) {
        if (const auto entry = store.find(id, clock.now())) {
            tryOne(*entry);
        } else {
            ++left;
            std::cerr << "otpgate: " << id.toString() << ": there is no such message\n";
        }
    }
    const Timestamp madeBefore = clock.now() - options.olderThan.value_or(std::chrono::milliseconds{0});
    if (options.takesAll) {
        forEach(store, options.which, clock, [&](const OutboxEntry& entry) {
            if (!options.olderThan || entry.message.createdAt < madeBefore) tryOne(entry);
        });
    }
    std::cout << changed << " " << done << ", " << left << " left\n";
    return left > 0 && !options.takesAll ? 1 : 0;
}

constexpr std::string_view kChanged = domain::kMessageHasChanged;

std::optional<std::string> retry(domain::OutboxAdminStore& store, const OutboxEntry& entry, Timestamp now) {
    if (auto reason = domain::reasonNotToSend(entry, store.codeState(entry.message, now), now)) return reason;
    crypto::SystemRandom random;
    domain::Client client;
    client.userAgent = "otpgate outbox retry";
    if (!store.retry(entry, {Uuid::makeV7(now, random), client, now})) return std::string{kChanged};
    return std::nullopt;
}

std::optional<std::string> purge(domain::OutboxAdminStore& store, Which which, const OutboxEntry& entry,
                                 Timestamp now) {
    if (entry.state == OutboxState::Leased) return std::string{domain::kMessageIsBeingSent};
    if (which == Which::Dead && entry.state != OutboxState::Dead) return "is not dead";
    crypto::SystemRandom random;
    if (!store.remove(entry, kPurged, Uuid::makeV7(now, random), now)) return std::string{kChanged};
    return std::nullopt;
}

}  // namespace

int outbox(const Invocation& invocation) {
    const Options options = read(invocation);
    const bool retries = invocation.action == "retry";
    if (invocation.action != "list" && !options.takesAll && options.ids.empty())
        throw UsageError(retries ? "say which: ids, or --all" : "say which: ids, --dead or --older-than");
    const auto database = db::openDatabase(invocation.settings().database);
    const auto connection = database->connect();
    const auto store = store::makeOutboxAdminStore(*connection);
    const SystemClock clock;
    try {
        if (invocation.action == "list") return listEntries(*store, options, clock, invocation.has("--json"));
        if (retries) {
            return change(*store, options, clock, "to be sent now",
                          [&](const OutboxEntry& entry) { return retry(*store, entry, clock.now()); });
        }
        return change(*store, options, clock, "removed",
                      [&](const OutboxEntry& entry) { return purge(*store, options.which, entry, clock.now()); });
    } catch (const ServiceUnavailable& error) {
        throw ServiceUnavailable("database " + database->describe() + ": " + error.what());
    }
}

}  // namespace otpgate::cli
