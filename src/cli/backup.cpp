// otpgate backup, restore and copy-data: all rows into a file, out of one, and from one database to another.
#include "cli/commands.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/backup_file.h"
#include "otpgate/db/own_tables.h"
#include "otpgate/domain/key_holders.h"
#include "otpgate/store/stores.h"
#include "start_notes.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace otpgate::cli {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTellEvery{2};

// Rows so far, every other second.
class Progress {
public:
    explicit Progress(std::uint64_t total) : total_(total) {}

    void note(std::uint64_t rows) {
        const auto now = SteadyClock::now();
        if (now - told_ < kTellEvery) return;
        told_ = now;
        std::cerr << rows << " of " << total_ << " rows, " << (total_ == 0 ? 100 : rows * 100 / total_) << "%"
                  << std::endl;
    }

private:
    std::uint64_t total_;
    SteadyClock::time_point told_ = SteadyClock::now();
};

// A statement over a large table takes as long as it takes.
db::DatabaseSettings patient(db::DatabaseSettings settings) {
    settings.answerTimeout = std::chrono::hours{1};
    settings.connectTimeout = std::max(settings.connectTimeout, std::chrono::seconds{5});
    return settings;
}

// A file that is not there would be made, and be an empty database.
void requireFile(const std::string& url) {
    const auto file = db::sqliteFileOf(url);
    if (file && !std::filesystem::exists(*file)) throw ConfigurationError("there is no " + *file);
}

// Of two names for one file SQLite would keep two journals. What else is one database under two names, servers among
// it, shows when it is to be filled.
bool areOneFile(const std::string& url, const std::string& other) {
    std::error_code neither;
    const auto file = db::sqliteFileOf(url);
    const auto otherFile = db::sqliteFileOf(other);
    return file && otherFile && std::filesystem::equivalent(*file, *otherFile, neither);
}

// The hosts on which otpgate runs over this database.
std::vector<std::string> hostsAtWork(db::Connection& connection) {
    if (!db::presentTables(connection).contains("key_holders")) return {};
    const Timestamp gone = SystemClock{}.now() - domain::kHolderIsGoneAfter;
    std::vector<std::string> hosts;
    for (const domain::KeyHolder& holder : store::makeKeyHolderStore(connection)->list()) {
        if (holder.seenAt > gone && std::ranges::find(hosts, holder.host) == hosts.end()) hosts.push_back(holder.host);
    }
    return hosts;
}

// An empty or half-filled one has nobody to be told of.
void requireNobodyAtWork(db::Connection& connection) {
    if (db::presentTables(connection).contains(std::string{db::kUnfinishedTable})) return;
    const auto hosts = hostsAtWork(connection);
    if (hosts.empty()) return;
    throw ConfigurationError("otpgate runs over this database on " + joined(hosts, ", ") +
                             ": stop it first (one that was killed counts for three minutes)");
}

db::Existing existingOf(const Invocation& invocation) {
    return invocation.has("--replace") ? db::Existing::Replace : db::Existing::Refuse;
}

// What processes over the source said of themselves is left out: none of them runs over this database.
std::uint64_t fill(db::Connection& connection, db::RowSource& source, const Invocation& invocation) {
    requireNobodyAtWork(connection);
    Progress progress(source.rowCount());
    const auto count = db::fillDatabase(connection, db::sqlFiles(), source, existingOf(invocation),
                                        [&](std::uint64_t rows) { progress.note(rows); });
    const auto holders = store::makeKeyHolderStore(connection);
    for (const domain::KeyHolder& holder : holders->list()) holders->forget(holder.id);
    return count;
}

std::vector<std::string> ownKeys(const Settings& settings) {
    try {
        return crypto::KeyRing::load(settings.masterKeyFile).fingerprints();
    } catch (const ConfigurationError&) {
        return {};  // there are rows all the same
    }
}

std::string keyReminder(const Settings& settings) {
    return "the master key is not in it: keep a copy of " + settings.masterKeyFile +
           " elsewhere, without which every session and code of the backup is void";
}

// What one is told whose master key is another than that of the backup.
void compareKeys(const db::BackupNotes& notes, const Settings& settings) {
    const auto noted = notes.find("keys");
    if (noted == notes.end() || noted->second.empty()) return;
    const auto own = ownKeys(settings);
    for (const std::string_view key : split(noted->second, ' ')) {
        if (std::ranges::find(own, key) != own.end()) return;
    }
    std::cerr << "warning: " << settings.masterKeyFile
              << " is not there or holds another key than the backup was made with: until the right one is put there, "
                 "otpgate does not start, and its sessions and codes are void\n";
}

// A url, and the password for it: of the option's file, or of the settings where it is theirs.
db::DatabaseSettings endOf(const Invocation& invocation, const Settings& settings, const std::string& option) {
    db::DatabaseSettings end = settings.database;
    const auto url = invocation.value(option);
    if (url && *url != end.url) {
        end.url = *url;
        end.password.clear();
    }
    if (const auto file = invocation.value(option + "-password-file")) {
        std::ifstream in(*file);
        if (!std::getline(in, end.password)) throw ConfigurationError("cannot read a password from " + *file);
        if (end.password.ends_with('\r')) end.password.pop_back();
    }
    return patient(end);
}

}  // namespace

int backup(const Invocation& invocation) {
    const std::string& path = invocation.words.front();
    const Settings settings = invocation.settings();
    requireFile(settings.database.url);
    const auto database = db::openDatabase(patient(settings.database));
    const auto connection = database->connect();
    const auto source = db::readDatabase(*connection, db::sqlFiles());
    Progress progress(source->rowCount());
    std::uint64_t count = 0;
    db::writeBackup(path,
                    {{"made", formatRfc3339(SystemClock{}.now())},
                     {"by", versionText()},
                     {"engine", connection->engine() == db::Engine::Mysql ? "mysql" : "sqlite"},
                     {"keys", joined(ownKeys(settings), " ")}},
                    *source, [&](std::uint64_t rows) {
                        count = rows;
                        progress.note(rows);
                    });
    std::cout << path << ": " << count << " rows of " << database->describe() << "\n" << keyReminder(settings) << "\n";
    return 0;
}

int restore(const Invocation& invocation) {
    db::BackupFile file(invocation.words.front());
    const Settings settings = invocation.settings();
    const auto database = db::openDatabase(patient(settings.database));
    const auto connection = database->connect();
    compareKeys(file.notes(), settings);
    const auto count = fill(*connection, file, invocation);
    std::cout << database->describe() << ": " << count << " rows, read again and found the same; as it was at "
              << file.notes().at("made") << "\n";
    return 0;
}

int copyData(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    const auto fromSettings = endOf(invocation, settings, "--from");
    const auto toSettings = endOf(invocation, settings, "--to");
    if (fromSettings.url == toSettings.url || areOneFile(fromSettings.url, toSettings.url))
        throw UsageError("--from and --to name the same database");
    requireFile(fromSettings.url);
    const auto from = db::openDatabase(fromSettings);
    const auto to = db::openDatabase(toSettings);
    const auto reading = from->connect();
    const auto writing = to->connect();
    const auto source = db::readDatabase(*reading, db::sqlFiles());
    const auto hosts = hostsAtWork(*reading);
    if (!hosts.empty()) {
        std::cerr << "warning: otpgate still serves from " << from->describe() << " on " << joined(hosts, ", ")
                  << ": what changes there from now on is not copied; stop it for the copy that counts\n";
    }
    const auto count = fill(*writing, *source, invocation);
    std::cout << to->describe() << ": " << count << " rows of " << from->describe()
              << ", read again and found the same\n";
    if (toSettings.url != settings.database.url) {
        std::cout << "to serve from it: database.url = " << toSettings.url
                  << " (and its password) in the settings, and the same master key file; then restart otpgate\n";
    }
    return 0;
}

}  // namespace otpgate::cli
