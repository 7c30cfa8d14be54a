#include "cli/commands.h"
#include "otpgate/db/migrator.h"
#include "readiness.h"

#include <iostream>

namespace otpgate::cli {

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
