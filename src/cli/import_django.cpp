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
#include <set>
#include <unordered_map>

namespace otpgate::cli {

namespace {

constexpr std::size_t kBatch = 500;
constexpr std::size_t kProgressEvery = 10'000;

class Import {
public:
    Import(domain::AccountStore& store, StaffAre staff) : store_(store), staff_(staff) {}

    void run(std::istream& in) {
        JsonElements elements(in);
        for (; const auto element = elements.next(); ++row_) {
            try {
                add(*element);
            } catch (const BadRow& bad) {
                ++skipped_;
                std::cerr << "row " << row_ << ": " << bad.what() << "\n";
            }
            if ((row_ + 1) % kProgressEvery == 0) std::cerr << row_ + 1 << " rows read\n";
        }
        flush();
    }

    void summarize() const {
        if (others_ > 0) std::cerr << others_ << " objects of other models were left out\n";
        if (skipped_ > 0) std::cerr << "warning: some rows were skipped, see above\n";
        std::cout << imported_ << " imported, " << unchanged_ << " unchanged, " << skipped_ << " skipped\n";
    }

private:
    void add(const std::string& element) {
        const Timestamp now = clock_.now();
        auto imported = parseDjangoUser(element, staff_, now);
        if (!imported) {
            ++others_;
            return;
        }
        rejectRepeated(imported->user);
        imported->user.id = Uuid::makeV7(now, random_);
        batch_.push_back(std::move(*imported));
        if (batch_.size() == kBatch) flush();
    }

    // Django tells A@example.org from a@example.org; here they are one, and only the first gets in.
    void rejectRepeated(const domain::User& user) {
        for (const auto& address : {user.email, user.phoneNumber}) {
            if (!address) continue;
            const auto [seen, isNew] = rowOf_.try_emplace(std::hash<std::string>{}(*address), row_);
            if (!isNew) throw BadRow("it has the address of row " + std::to_string(seen->second));
        }
    }

    void flush() {
        // First: a service that runs is to know what a wrong password has to cost before anybody can be found by it.
        std::set<std::string> costs;
        for (const domain::ImportedUser& imported : batch_) {
            if (!imported.passwordHash) continue;
            if (auto cost = crypto::costOf(*imported.passwordHash)) costs.insert(std::move(*cost));
        }
        store_.notePasswordCosts({costs.begin(), costs.end()});
        for (const bool isNew : store_.import(batch_)) ++(isNew ? imported_ : unchanged_);
        batch_.clear();
    }

    domain::AccountStore& store_;
    StaffAre staff_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    std::vector<domain::ImportedUser> batch_;
    std::unordered_map<std::size_t, std::size_t> rowOf_;  // by the hash of the address: millions must fit
    std::size_t row_ = 0;
    std::size_t imported_ = 0;
    std::size_t unchanged_ = 0;
    std::size_t skipped_ = 0;
    std::size_t others_ = 0;
};

}  // namespace

int importDjango(const Invocation& invocation) {
    std::string path;
    StaffAre staff = StaffAre::Users;
    for (const std::string& argument : invocation.arguments) {
        if (argument == "--admins") {
            staff = StaffAre::Admins;
        } else if (path.empty() && !argument.starts_with("--")) {
            path = argument;
        } else {
            throw UsageError("unexpected argument: " + argument);
        }
    }
    if (path.empty()) throw UsageError("say which file");
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    if (path != "-" && !file) throw std::runtime_error("cannot read " + path + ": " + std::strerror(errno));

    const auto database = db::openDatabase(invocation.settings().database);
    const auto connection = database->connect();
    const auto store = store::makeAccountStore(*connection);
    Import import(*store, staff);
    import.run(path == "-" ? std::cin : file);
    import.summarize();
    return 0;
}

}  // namespace otpgate::cli
