// otpgate user: accounts by hand.
#include "api/account_export.h"
#include "api/views.h"
#include "cli/commands.h"
#include "cli/find_user.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/outbox_messenger.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/domain/administration.h"
#include "otpgate/domain/password_policy.h"
#include "otpgate/domain/username.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <limits>
#include <map>

namespace otpgate::cli {

namespace {

constexpr unsigned kUsersAtATime = 500;

struct NewUser {
    std::optional<domain::Destination> email;
    std::optional<domain::Destination> phone;
};

NewUser readNewUser(const Invocation& invocation) {
    NewUser user;
    if (const auto address = invocation.value("--email")) {
        user.email = domain::Destination::parseEmail(*address, domain::EmailValidation::International);
        if (!user.email) throw UsageError("not an e-mail address: " + *address);
    }
    if (const auto number = invocation.value("--phone")) {
        user.phone = domain::Destination::parsePhoneNumber(*number);
        if (!user.phone) throw UsageError("not a telephone number such as +4930123456: " + *number);
    }
    if (!user.email && !user.phone) throw UsageError("say --email or --phone, or both");
    return user;
}

// Whom `user list` shows.
struct Filter {
    std::optional<domain::UserStatus> status;
    std::optional<domain::Role> role;
    std::string text;  // in lower case
    std::optional<Timestamp> joinedSince;
    std::optional<Timestamp> unusedSince;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
};

template <class Value>
std::optional<Value> readWord(const Invocation& invocation, const char* option, std::initializer_list<Value> values) {
    const auto word = invocation.value(option);
    if (!word) return std::nullopt;
    std::string known;
    for (const Value value : values) {
        if (*word == domain::toString(value)) return value;
        known.append(known.empty() ? "" : " or ").append(domain::toString(value));
    }
    throw UsageError(std::string{option} + " is " + known + ", not " + *word);
}

std::optional<Timestamp> readTime(const Invocation& invocation, const char* option) {
    const auto text = invocation.value(option);
    if (!text) return std::nullopt;
    const auto span = parseDateOrTime(*text);
    if (!span) throw UsageError(std::string{option} + " is a date (2026-11-20) or RFC 3339, not " + *text);
    return span->begin;
}

Filter readFilter(const Invocation& invocation) {
    Filter filter;
    filter.status = readWord(invocation, "--status", {domain::UserStatus::Active, domain::UserStatus::Disabled});
    filter.role = readWord(invocation, "--role", {domain::Role::User, domain::Role::Admin});
    filter.text = toLower(invocation.value("--match").value_or(""));
    filter.joinedSince = readTime(invocation, "--joined-since");
    filter.unusedSince = readTime(invocation, "--unused-since");
    if (const auto text = invocation.value("--limit")) {
        const auto limit = parseNumber<std::size_t>(*text);
        if (!limit) throw UsageError("--limit is a number, not " + *text);
        filter.limit = *limit;
    }
    return filter;
}

bool passes(const Filter& filter, const domain::User& user) {
    if (filter.status && user.status != *filter.status) return false;
    if (filter.role && user.role != *filter.role) return false;
    if (filter.joinedSince && user.joinedAt < *filter.joinedSince) return false;
    if (filter.unusedSince && user.lastLoginAt && *user.lastLoginAt >= *filter.unusedSince) return false;
    if (filter.text.empty()) return true;
    const std::string fields[] = {user.email.value_or(""), user.phoneNumber.value_or(""), user.username.value_or(""),
                                  user.displayName, user.firstName + " " + user.lastName};
    return std::ranges::any_of(
        fields, [&](const std::string& field) { return toLower(field).find(filter.text) != std::string::npos; });
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

std::string factorsOf(const domain::User& user) {
    std::vector<std::string> factors;
    if (user.hasVerifyingPasskey) factors.emplace_back("passkey");
    if (user.hasTotp) factors.emplace_back("authenticator app");
    return factors.empty() ? "none" : joined(factors, ", ");
}

void printUser(const domain::User& user, bool asJson) {
    if (asJson) {
        std::cout << jsonOf(user) << "\n";
        return;
    }
    const auto verified = [](bool is) { return is ? "  (verified)" : "  (not verified)"; };
    std::cout << "id          " << user.id.toString() << "\n";
    std::cout << "username    " << user.username.value_or("-") << "\n";
    if (!user.displayName.empty()) std::cout << "shown as    " << user.displayName << "\n";
    if (user.email) std::cout << "email       " << *user.email << verified(user.emailVerified) << "\n";
    if (user.phoneNumber) std::cout << "phone       " << *user.phoneNumber << verified(user.phoneVerified) << "\n";
    std::cout << "name        " << user.firstName << " " << user.lastName << "\n";
    std::cout << "role        " << domain::toString(user.role) << "\n";
    if (!user.groups.empty()) std::cout << "groups      " << joined(user.groups, ", ") << "\n";
    std::cout << "status      " << domain::toString(user.status) << "\n";
    std::cout << "password    " << (user.hasPassword ? "set" : "none") << "\n";
    std::cout << "factor      " << factorsOf(user) << "\n";
    std::cout << "joined      " << formatRfc3339(user.joinedAt) << "\n";
    std::cout << "last login  " << (user.lastLoginAt ? formatRfc3339(*user.lastLoginAt) : "never") << "\n";
}

std::string readUsername(const std::string& text) {
    auto name = domain::parseUsername(text);
    if (!name) {
        throw UsageError("not a user name, 2 to 64 of a-z, 0-9, dot, _ and - with a letter, and no sign at an end: " +
                         text);
    }
    return std::move(*name);
}

void setUsername(domain::AccountService& accounts, const domain::User& who, const std::string& name,
                 const domain::Client& client) {
    using Outcome = domain::ProfileUpdate::Outcome;
    domain::ProfileFields fields;
    fields.username = name;
    const auto outcome = accounts.updateProfile(who.id, fields, domain::NameGiver::Administrator, client).outcome;
    if (outcome == Outcome::Updated) return;
    throw std::runtime_error(outcome == Outcome::NoSuchUser
                                 ? "there is no such user any more"
                                 : "the name is, or was, somebody else's, and never becomes another's: " + name);
}

domain::Destination readAddress(const std::string& text, domain::EmailValidation validation) {
    auto address = domain::Destination::parse(text, validation);
    if (!address) throw UsageError("neither an e-mail address nor a telephone number such as +4930123456: " + text);
    return std::move(*address);
}

void setAddress(domain::Administration& administration, const domain::User& who, const domain::Destination& address,
                const domain::Client& client) {
    const auto outcome = administration.setAddress(who.id, address, client);
    if (outcome == domain::AdminOutcome::Done) return;
    throw std::runtime_error(outcome == domain::AdminOutcome::Taken ? "there is a user with this address already"
                                                                    : "there is no such user any more");
}

void sendAgain(domain::Administration& administration, const domain::User& who, const domain::Client& client) {
    using Outcome = domain::SentAgain::Outcome;
    const auto sent = administration.sendLastAgain(who.id, client);
    if (sent.outcome == Outcome::NoSuchMessage)
        throw std::runtime_error("nothing waits for this user, and nothing was given up");
    if (sent.outcome == Outcome::Refused) throw std::runtime_error("the message " + sent.reason);
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

int create(domain::AccountService& accounts, const Invocation& invocation, const Settings& settings,
           const domain::Client& client) {
    const NewUser options = readNewUser(invocation);
    if (options.email && !domain::Destination::parseEmail(options.email->value(), settings.emailValidation)) {
        throw UsageError("nobody could sign in with this address: email.validation refuses it");
    }
    domain::User user;
    if (options.email) user.email = options.email->value();
    if (options.phone) user.phoneNumber = options.phone->value();
    if (invocation.has("--admin")) user.role = domain::Role::Admin;
    std::optional<std::string> hash;
    if (invocation.has("--password-stdin")) {
        crypto::SystemRandom random;
        hash = crypto::hashPassword(readPassword(user, settings.passwordMinScore), settings.passwords.cost, random);
    }
    const auto created = accounts.create(user, hash, client);
    if (!created) throw std::runtime_error("there is a user with this address already");
    printUser(*created, invocation.has("--json"));
    return 0;
}

int listUsers(domain::AccountService& accounts, const Filter& filter, bool asJson) {
    Uuid last;
    std::size_t count = 0;
    if (asJson) std::cout << "[";
    while (count < filter.limit) {
        const auto users = accounts.list(last, kUsersAtATime);
        for (const domain::User& user : users) {
            last = user.id;
            if (count == filter.limit || !passes(filter, user)) continue;
            if (asJson) {
                std::cout << (count == 0 ? "\n" : ",\n") << jsonOf(user);
            } else {
                printLine(user);
            }
            ++count;
        }
        if (users.size() < kUsersAtATime) break;
    }
    if (asJson) std::cout << "\n]\n";
    return 0;
}

}  // namespace

int user(const Invocation& invocation) {
    using domain::Role;
    using domain::UserStatus;
    const std::string& action = invocation.action;
    const bool asJson = invocation.has("--json");
    // What was not understood is said before the database is asked for.
    const Filter filter = readFilter(invocation);
    if (action == "create") readNewUser(invocation);
    const std::string name = action == "set-username" ? readUsername(invocation.words.back()) : "";
    const auto settings = invocation.settings();
    std::optional<domain::Destination> address;
    if (action == "set-address") address = readAddress(invocation.words.back(), settings.emailValidation);
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    const auto store = store::makeAccountStore(*connection);
    const SystemClock clock;
    crypto::SystemRandom random;
    domain::AccountService accounts(*store, clock, random);
    const auto people = store::makePeopleStore(*connection);
    const auto sessions = store::makeSessionStore(*connection);
    const auto groups = store::makeUserGroupStore(*connection);
    const auto outbox = store::makeOutboxAdminStore(*connection);
    delivery::OutboxMessenger messenger;  // notices are sent by whoever looks into the outbox
    domain::NoticeSettings notices = settings.notices;
    if (settings.sms.transport == delivery::SmsTransportKind::None) notices.bySms = domain::NoticeBySms::Never;
    domain::Administration administration({*people, *store, *sessions, *groups, *outbox}, messenger, clock, random,
                                          {settings.otp.requestsPerDestination, settings.otp.guessesPerDestination,
                                           settings.otp.changesPerAccount, settings.passkeysPerAccount},
                                          notices);
    domain::Client client;
    client.userAgent = "otpgate user " + action;

    if (action == "create") return create(accounts, invocation, settings, client);
    if (action == "list") return listUsers(accounts, filter, asJson);
    if (action == "export") {
        const domain::User who = findUser(accounts, invocation.words.front());
        const auto audit = store::makeAuditStore(*connection);
        std::cout << api::exportOf(who, accounts, *audit, clock.now(), std::numeric_limits<unsigned>::max()) << "\n";
        administration.noteExport(who.id, client);
        return 0;
    }
    // Those that are so already are no failure: a script may be run twice.
    const std::map<std::string_view, std::function<void(const domain::User&)>> actions = {
        {"show", [](const domain::User&) {}},
        {"disable", [&](const domain::User& who) { administration.setStatus(who.id, UserStatus::Disabled, client); }},
        {"enable", [&](const domain::User& who) { administration.setStatus(who.id, UserStatus::Active, client); }},
        {"make-admin", [&](const domain::User& who) { accounts.setRole(who.id, Role::Admin, client); }},
        {"make-user", [&](const domain::User& who) { accounts.setRole(who.id, Role::User, client); }},
        {"set-username", [&](const domain::User& who) { setUsername(accounts, who, name, client); }},
        {"set-address", [&](const domain::User& who) { setAddress(administration, who, address.value(), client); }},
        {"end-sessions", [&](const domain::User& who) { administration.endSessions(who.id, client); }},
        {"clear-limits", [&](const domain::User& who) { administration.clearLimits(who.id, client); }},
        {"reset-factors", [&](const domain::User& who) { administration.resetFactors(who.id, client); }},
        {"send-again", [&](const domain::User& who) { sendAgain(administration, who, client); }},
        {"delete", [&](const domain::User& who) { administration.remove(who.id, client); }},
    };
    const domain::User who = findUser(accounts, invocation.words.front());
    actions.at(action)(who);
    // As it is now; of one that was deleted, as it was.
    printUser(accounts.find(who.id).value_or(who), asJson);
    return 0;
}

}  // namespace otpgate::cli
