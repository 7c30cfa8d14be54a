// otpgate import-django: users of a Django site, with their passwords.
#include "cli/commands.h"
#include "cli/django_user.h"
#include "cli/json_elements.h"
#include "otpgate/crypto/password_costs.h"
#include "otpgate/crypto/random.h"
#include "otpgate/store/stores.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <unordered_map>

namespace otpgate::cli {

namespace {

constexpr std::size_t kBatch = 500;
constexpr std::size_t kProgressEvery = 10'000;

class Import {
public:
    Import(domain::AccountStore& store, StaffAre staff, domain::EmailValidation validation)
        : store_(store),
          staff_(staff),
          validation_(validation) {}

    void run(std::istream& in) {
        JsonElements elements(in);
        for (; const auto element = elements.next(); ++row_) {
            try {
                add(*element);
            } catch (const BadRow& bad) {
                skip(bad.what());
                std::cerr << "row " << row_ << ": " << bad.what() << "\n";
            }
            if ((row_ + 1) % kProgressEvery == 0) std::cerr << row_ + 1 << " rows read\n";
        }
        flush();
    }

    void summarize() const {
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
    bool tookAll() const { return skippedBy_.empty() && passwordsNotTaken_.empty(); }

private:
    void skip(const std::string& reason) {
        ++skipped_;
        ++skippedBy_[reason];
    }

    void add(const std::string& element) {
        const Timestamp now = clock_.now();
        auto user = parseDjangoUser(element, staff_, validation_, now);
        if (!user) {
            ++others_;
            return;
        }
        if (const auto first = rowWithAddressOf(user->imported.user)) {
            std::cerr << "row " << row_ << ": it has the address of row " << *first << "\n";
            skip("they have the address of an earlier row");
            return;
        }
        user->imported.user.id = Uuid::makeV7(now, random_);
        batch_.push_back(std::move(user->imported));
        notTaken_.push_back(std::move(user->passwordNotTaken));
        unnamed_.push_back(std::move(user->usernameNotTaken));
        if (batch_.size() == kBatch) flush();
    }

    // Django tells A@example.org from a@example.org; here they are one, and only the first gets in.
    std::optional<std::size_t> rowWithAddressOf(const domain::User& user) {
        for (const auto& address : {user.email, user.phoneNumber}) {
            if (!address) continue;
            const auto [seen, isNew] = rowOf_.try_emplace(std::hash<std::string>{}(*address), row_);
            if (!isNew) return seen->second;
        }
        return std::nullopt;
    }

    void flush() {
        // First: a service that runs is to know what a wrong password has to cost before anybody can be found by it.
        std::set<std::string> costs;
        for (const domain::ImportedUser& imported : batch_) {
            if (!imported.passwordHash) continue;
            if (auto cost = crypto::costOf(*imported.passwordHash)) costs.insert(std::move(*cost));
        }
        store_.notePasswordCosts({costs.begin(), costs.end()});
        const auto results = store_.import(batch_, clock_.now());
        for (std::size_t i = 0; i < results.size(); ++i) {
            // Who was there already has lost nothing.
            const bool isAdded = results[i] != domain::ImportResult::Unchanged;
            ++(isAdded ? imported_ : unchanged_);
            if (!isAdded) continue;
            if (!notTaken_[i].empty()) ++passwordsNotTaken_[notTaken_[i]];
            if (results[i] == domain::ImportResult::AddedUnnamed) unnamed_[i] = "it is, or was, somebody else's";
            if (!unnamed_[i].empty()) ++usernamesNotTaken_[unnamed_[i]];
        }
        batch_.clear();
        notTaken_.clear();
        unnamed_.clear();
    }

    domain::AccountStore& store_;
    StaffAre staff_;
    domain::EmailValidation validation_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    std::vector<domain::ImportedUser> batch_;
    std::vector<std::string> notTaken_;                   // of each in the batch: DjangoUser::passwordNotTaken
    std::vector<std::string> unnamed_;                    // and DjangoUser::usernameNotTaken
    std::unordered_map<std::size_t, std::size_t> rowOf_;  // by the hash of the address: millions must fit
    std::size_t row_ = 0;
    std::size_t imported_ = 0;
    std::size_t unchanged_ = 0;
    std::size_t skipped_ = 0;
    std::map<std::string, std::size_t> skippedBy_;          // by reason
    std::map<std::string, std::size_t> passwordsNotTaken_;  // by reason
    std::map<std::string, std::size_t> usernamesNotTaken_;  // by reason
    std::size_t others_ = 0;
};

}  // namespace

int importDjango(const Invocation& invocation) {
    const std::string& path = invocation.words.front();
    const StaffAre staff = invocation.has("--admins") ? StaffAre::Admins : StaffAre::Users;
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    if (path != "-" && !file) throw std::runtime_error("cannot read " + path + ": " + std::strerror(errno));

    const Settings settings = invocation.settings();
    db::DatabaseSettings databaseSettings = settings.database;
    // A batch may wait for the logins of a busy server; half an import would be begun again.
    databaseSettings.answerTimeout = std::chrono::minutes{10};
    const auto database = db::openDatabase(databaseSettings);
    const auto connection = database->connect();
    const auto store = store::makeAccountStore(*connection);
    Import import(*store, staff, settings.emailValidation);
    import.run(path == "-" ? std::cin : file);
    import.summarize();
    return import.tookAll() ? 0 : 1;
}

}  // namespace otpgate::cli
