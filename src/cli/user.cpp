// otpgate user: accounts by hand.
#include "api/views.h"
#include "cli/commands.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/domain/password_policy.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>

namespace otpgate::cli {

namespace {

constexpr unsigned kListBatch = 500;

// What follows `user ACTION`.
struct Options {
    std::string action;
    std::string who;  // where the action is about one user
    std::optional<domain::Destination> email;
    std::optional<domain::Destination> phone;
    bool isAdmin = false;
    bool hasPassword = false;
    bool asJson = false;
};

Options parse(const std::vector<std::string>& arguments) {
    if (arguments.empty()) throw UsageError("say which: create, list, show, disable, enable, make-admin or delete");
    Options options;
    options.action = arguments.front();
    const bool creates = options.action == "create";
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const auto value = [&]() -> const std::string& {
            if (++i == arguments.size()) throw UsageError(word + " needs a value");
            return arguments[i];
        };
        if (word == "--json") {
            options.asJson = true;
        } else if (creates && word == "--admin") {
            options.isAdmin = true;
        } else if (creates && word == "--password-stdin") {
            options.hasPassword = true;
        } else if (creates && word == "--email") {
            options.email = domain::Destination::parseEmail(value(), domain::EmailValidation::International);
            if (!options.email) throw UsageError("not an e-mail address: " + arguments[i]);
        } else if (creates && word == "--phone") {
            options.phone = domain::Destination::parsePhoneNumber(value());
            if (!options.phone) throw UsageError("not a telephone number such as +4930123456: " + arguments[i]);
        } else if (!creates && options.action != "list" && options.who.empty() && !word.starts_with("--")) {
            options.who = word;
        } else {
            throw UsageError("unexpected argument: " + word);
        }
    }
    if (creates && !options.email && !options.phone) throw UsageError("say --email or --phone, or both");
    return options;
}

std::string jsonOf(const domain::User& user) {
    http::JsonWriter json;
    api::writeUser(json, user);
    return json.take();
}

void printLine(const domain::User& user) {
    std::string status{domain::toString(user.status)};
    std::string role{domain::toString(user.role)};
    status.resize(std::max<std::size_t>(status.size(), 8), ' ');
    role.resize(std::max<std::size_t>(role.size(), 5), ' ');
    std::cout << user.id.toString() << "  " << status << "  " << role << "  " << formatRfc3339(user.joinedAt) << "  "
              << user.email.value_or("-") << "  " << user.phoneNumber.value_or("-") << "\n";
}

void print(const domain::User& user, const Options& options) {
    if (options.asJson) {
        std::cout << jsonOf(user) << "\n";
        return;
    }
    const auto verified = [](bool is) { return is ? "  (verified)" : "  (not verified)"; };
    std::cout << "id          " << user.id.toString() << "\n";
    std::cout << "username    " << user.username << "\n";
    if (user.email) std::cout << "email       " << *user.email << verified(user.emailVerified) << "\n";
    if (user.phoneNumber) std::cout << "phone       " << *user.phoneNumber << verified(user.phoneVerified) << "\n";
    std::cout << "name        " << user.firstName << " " << user.lastName << "\n";
    std::cout << "role        " << domain::toString(user.role) << "\n";
    std::cout << "status      " << domain::toString(user.status) << "\n";
    std::cout << "password    " << (user.hasPassword ? "set" : "none") << "\n";
    std::cout << "joined      " << formatRfc3339(user.joinedAt) << "\n";
    std::cout << "last login  " << (user.lastLoginAt ? formatRfc3339(*user.lastLoginAt) : "never") << "\n";
}

domain::User findUser(domain::AccountService& accounts, const std::string& who) {
    if (who.empty()) throw UsageError("say who: an e-mail address, a telephone number or an id");
    std::optional<domain::User> user;
    if (const auto id = Uuid::parse(who)) {
        user = accounts.find(*id);
    } else if (const auto destination = domain::Destination::parse(who, domain::EmailValidation::International)) {
        user = accounts.find(*destination);
    } else {
        throw UsageError("neither an address nor an id: " + who);
    }
    if (!user) throw std::runtime_error("there is no such user: " + who);
    return std::move(*user);
}

std::string readPassword(const domain::User& user, unsigned minScore) {
    std::string password;
    std::getline(std::cin, password);
    if (password.ends_with('\r')) password.pop_back();
    domain::PasswordOwner owner;
    if (user.email) owner.email = *user.email;
    if (user.phoneNumber) owner.phoneNumber = *user.phoneNumber;
    const auto reason = domain::PasswordPolicy(minScore, {}).reasonToRefuse(password, owner);
    if (reason) throw std::runtime_error("the password is refused. " + *reason);
    return password;
}

int create(domain::AccountService& accounts, const Options& options, const Settings& settings,
           const domain::Client& client) {
    if (options.email && !domain::Destination::parseEmail(options.email->value(), settings.emailValidation)) {
        throw UsageError("nobody could sign in with this address: email.validation refuses it");
    }
    domain::User user;
    if (options.email) user.email = options.email->value();
    if (options.phone) user.phoneNumber = options.phone->value();
    if (options.isAdmin) user.role = domain::Role::Admin;
    std::optional<std::string> hash;
    if (options.hasPassword) {
        crypto::SystemRandom random;
        hash = crypto::hashPassword(readPassword(user, settings.passwordMinScore), settings.passwords.cost, random);
    }
    const auto created = accounts.create(user, hash, client);
    if (!created) throw std::runtime_error("there is a user with this address already");
    print(*created, options);
    return 0;
}

int list(domain::AccountService& accounts, const Options& options) {
    Uuid last;
    bool isFirst = true;
    if (options.asJson) std::cout << "[";
    while (true) {
        const auto users = accounts.list(last, kListBatch);
        for (const domain::User& user : users) {
            if (options.asJson) {
                std::cout << (isFirst ? "\n" : ",\n") << jsonOf(user);
            } else {
                printLine(user);
            }
            isFirst = false;
            last = user.id;
        }
        if (users.size() < kListBatch) break;
    }
    if (options.asJson) std::cout << "\n]\n";
    return 0;
}

}  // namespace

int user(const Invocation& invocation) {
    using domain::Role;
    using domain::UserStatus;
    const Options options = parse(invocation.arguments);
    const auto settings = invocation.settings();
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    const auto store = store::makeAccountStore(*connection);
    const SystemClock clock;
    crypto::SystemRandom random;
    domain::AccountService accounts(*store, clock, random);
    domain::Client client;
    client.userAgent = "otpgate user " + options.action;

    if (options.action == "create") return create(accounts, options, settings, client);
    if (options.action == "list") return list(accounts, options);
    // Those that are so already are no failure: a script may be run twice.
    const std::map<std::string_view, std::function<void(const domain::User&)>> actions = {
        {"show", [](const domain::User&) {}},
        {"disable", [&](const domain::User& who) { accounts.setStatus(who.id, UserStatus::Disabled, client); }},
        {"enable", [&](const domain::User& who) { accounts.setStatus(who.id, UserStatus::Active, client); }},
        {"make-admin", [&](const domain::User& who) { accounts.setRole(who.id, Role::Admin, client); }},
        {"make-user", [&](const domain::User& who) { accounts.setRole(who.id, Role::User, client); }},
        {"delete", [&](const domain::User& who) { accounts.remove(who); }},
    };
    const auto action = actions.find(options.action);
    if (action == actions.end()) throw UsageError("unknown: user " + options.action);
    const domain::User who = findUser(accounts, options.who);
    action->second(who);
    // As it is now; of one that was deleted, as it was.
    print(accounts.find(who.id).value_or(who), options);
    return 0;
}

}  // namespace otpgate::cli
