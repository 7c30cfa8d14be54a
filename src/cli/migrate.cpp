#include "cli/commands.h"
#include "otpgate/db/migrator.h"
#include "otpgate/store/adopt_usernames.h"
#include "readiness.h"

#include <iostream>

namespace otpgate::cli {

namespace {

// Names that people gave themselves before a user name was one account's alone.
void adoptNames(db::Connection& connection) {
    const auto adopted = store::adoptUsernames(
        connection, SystemClock{}.now(), [](const Uuid& userId, std::string_view name, std::string_view reason) {
            std::cout << "user " << userId.toString() << " lost the user name \"" << name << "\" (" << reason
                      << "): it is the display name now\n";
        });
    if (adopted.kept + adopted.displayed + adopted.addresses == 0) return;
    std::cout << "user names: " << adopted.kept << " kept, " << adopted.displayed << " are display names now, "
              << adopted.addresses << " were former addresses and are no more" << std::endl;
}

}  // namespace

void migrateDatabase(const Settings& settings) {
    db::DatabaseSettings databaseSettings = settings.database;
    // A change of a large table takes as long as it takes; a login may not.
    databaseSettings.answerTimeout = std::chrono::hours{1};
    const auto database = db::openDatabase(databaseSettings);
    const auto connection = database->connect();
    try {
        const std::size_t count = db::migrate(
            *connection, db::sqlFiles(), [](std::string_view path) { std::cout << "applied " << path << std::endl; });
        // What is missing is not made anew: an empty table would hide that its rows are lost.
        requireMigrated(*connection);
        adoptNames(*connection);
        std::cout << database->describe() << " is up to date, " << count << " applied\n";
    } catch (const ServiceUnavailable& error) {
        throw ServiceUnavailable("database " + database->describe() + ": " + error.what());
    }
}

int migrate(const Invocation& invocation) {
    migrateDatabase(invocation.settings());
    return 0;
}

}  // namespace otpgate::cli
