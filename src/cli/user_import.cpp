#include "cli/user_import.h"

#include "otpgate/crypto/password_costs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

namespace otpgate::cli {

namespace {

constexpr std::size_t kRowsAtATime = 500;
constexpr std::size_t kProgressEvery = 10'000;
// Every wrong password costs one hash of each of these (crypto/password_costs.h); a site has one or two.
constexpr std::ptrdiff_t kMostMemoryCosts = 6;

bool isMemoryCost(const std::string& cost) {
    return cost.starts_with("argon2") || cost.starts_with("scrypt");
}

}  // namespace

UserImport::UserImport(const Invocation& invocation, std::string_view rowWord)
    : rowWord_(rowWord),
      standardInput_(std::cin) {
    const std::string& path = invocation.words.front();
    if (path != "-") {
        file_.open(path, std::ios::binary);
        if (!file_) throw std::runtime_error("cannot read " + path + ": " + std::strerror(errno));
    }
    settings_ = invocation.settings();
    db::DatabaseSettings databaseSettings = settings_.database;
    // A batch may wait for the logins of a busy server; half an import would be begun again.
    databaseSettings.answerTimeout = std::chrono::minutes{10};
    database_ = db::openDatabase(databaseSettings);
    connection_ = database_->connect();
    store_ = store::makeAccountStore(*connection_);
    const auto costs = store_->passwordCosts();
    costs_.insert(costs.begin(), costs.end());
    costsNoted_ = costs_.size();
}

int UserImport::run(const Next& next, const Parse& parse) {
    std::size_t read = 0;
    while (const auto row = next()) {
        row_ = row->number;
        try {
            add(row->text, parse);
        } catch (const BadRow& bad) {
            skip(bad.what());
            sayOf(row_, bad.what());
        }
        if (++read % kProgressEvery == 0) std::cerr << read << " " << rowWord_ << "s read\n";
    }
    flush();
    summarize();
    return skippedBy_.empty() && passwordsNotTaken_.empty() ? 0 : 1;
}

void UserImport::skip(const std::string& reason) {
    ++skipped_;
    ++skippedBy_[reason];
}

void UserImport::sayOf(std::size_t row, const std::string& what) const {
    std::cerr << rowWord_ << " " << row << ": " << what << "\n";
}

void UserImport::add(const std::string& text, const Parse& parse) {
    const Timestamp now = clock_.now();
    auto row = parse(text, now);
    if (!row) {
        ++others_;
        return;
    }
    if (const auto first = rowWithAddressOf(row->imported.user)) {
        sayOf(row_, "it has the address of " + rowWord_ + " " + std::to_string(*first));
        skip("they have the address of an earlier " + rowWord_);
        return;
    }
    boundCosts(*row);
    row->imported.user.id = Uuid::makeV7(now, random_);
    batch_.push_back(std::move(row->imported));
    pending_.push_back({row_, std::move(row->passwordNotTaken), std::move(row->usernameNotTaken)});
    if (batch_.size() == kRowsAtATime) flush();
}

// Others may tell A@example.org from a@example.org; here they are one, and only the first gets in.
std::optional<std::size_t> UserImport::rowWithAddressOf(const domain::User& user) {
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (!address) continue;
        const auto [seen, isNew] = rowOf_.try_emplace(std::hash<std::string>{}(*address), row_);
        if (!isNew) return seen->second;
    }
    return std::nullopt;
}

void UserImport::boundCosts(ImportRow& row) {
    if (!row.imported.passwordHash) return;
    auto cost = crypto::costOf(*row.imported.passwordHash);
    if (!cost || costs_.contains(*cost)) return;
    if (isMemoryCost(*cost) && std::ranges::count_if(costs_, isMemoryCost) >= kMostMemoryCosts) {
        row.passwordNotTaken = "it is of one cost of Argon2 or scrypt too many";
        row.imported.passwordHash.reset();
        row.imported.user.hasPassword = false;
        return;
    }
    costs_.insert(std::move(*cost));
}

void UserImport::flush() {
    // First: a service that runs is to know what a wrong password has to cost before anybody can be found by it.
    if (costs_.size() != costsNoted_) store_->notePasswordCosts({costs_.begin(), costs_.end()});
    costsNoted_ = costs_.size();
    const auto results = store_->import(batch_, clock_.now());
    for (std::size_t i = 0; i < results.size(); ++i) {
        Pending& pending = pending_[i];
        // Who was there already has lost nothing.
        const bool isAdded = results[i] != domain::ImportResult::Unchanged;
        ++(isAdded ? imported_ : unchanged_);
        if (!isAdded) continue;
        if (!pending.passwordNotTaken.empty()) {
            sayOf(pending.row, "without its password: " + pending.passwordNotTaken);
            ++passwordsNotTaken_[pending.passwordNotTaken];
        }
        if (results[i] == domain::ImportResult::AddedUnnamed) {
            pending.usernameNotTaken = "it is, or was, somebody else's";
        }
        if (!pending.usernameNotTaken.empty()) ++usernamesNotTaken_[pending.usernameNotTaken];
    }
    batch_.clear();
    pending_.clear();
}

void UserImport::summarize() const {
    if (others_ > 0) std::cerr << others_ << " objects of other models were left out\n";
    for (const auto& [reason, count] : skippedBy_) {
        std::cerr << "warning: " << count << " skipped: " << reason << "\n";
    }
    for (const auto& [reason, count] : passwordsNotTaken_) {
        std::cerr << "warning: " << count << " without their password: " << reason << "\n";
    }
    for (const auto& [reason, count] : usernamesNotTaken_) {
        std::cerr << "warning: " << count << " with their user name as the display name alone: " << reason << "\n";
    }
    std::cout << imported_ << " imported, " << unchanged_ << " unchanged, " << skipped_ << " skipped\n";
}

}  // namespace otpgate::cli
