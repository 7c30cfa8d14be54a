// otpgate group: groups of users by hand.
#include "api/views.h"
#include "cli/commands.h"
#include "cli/find_user.h"
#include "otpgate/crypto/random.h"
#include "otpgate/store/stores.h"

#include <iostream>
#include <iterator>
#include <limits>

namespace otpgate::cli {

namespace {

constexpr unsigned kMembersAtATime = 500;

std::string readGroupName(const std::string& text) {
    auto name = domain::parseGroupName(text);
    if (!name) throw UsageError("not the name of a group, 1 to 64 of a-z, 0-9, dot, _ and -: " + text);
    return std::move(*name);
}

[[noreturn]] void failWithoutGroup(const std::string& name) {
    throw std::runtime_error("there is no such group: " + name);
}

class GroupCommand {
public:
    GroupCommand(db::Connection& connection, const std::string& action)
        : accountStore_(store::makeAccountStore(connection)),
          groups_(store::makeUserGroupStore(connection)),
          accounts_(*accountStore_, clock_, random_) {
        client_.userAgent = "otpgate group " + action;
    }

    // One that is there already is no failure: a script may be run twice.
    void create(const std::string& name) {
        const Timestamp now = clock_.now();
        groups_->create({name, now, Uuid::makeV7(now, random_), client_});
    }

    void list(bool asJson) {
        const auto groups = groups_->list();
        http::JsonWriter json;
        json.beginArray();
        for (const domain::UserGroup& group : groups) {
            if (!asJson) std::cout << group.name << "  " << group.members << "\n";
            json.beginObject()
                .member("name", group.name)
                .member("members", group.members)
                .member("created_at", formatRfc3339(group.createdAt))
                .endObject();
        }
        json.endArray();
        if (asJson) std::cout << json.take() << "\n";
    }

    void show(const std::string& name, bool asJson) {
        if (!groups_->find(name)) failWithoutGroup(name);
        http::JsonWriter json;
        json.beginArray();
        forEachMember(name, [&](const domain::User& user) {
            if (asJson) {
                api::writeUser(json, user);
                return;
            }
            std::cout << user.id.toString() << "  " << user.username.value_or("-") << "  " << user.email.value_or("-")
                      << "  " << user.phoneNumber.value_or("-") << "\n";
        });
        json.endArray();
        if (asJson) std::cout << json.take() << "\n";
    }

    // All of them are found before the first is changed.
    void addOrRemove(const std::string& name, const std::vector<std::string>& words, bool isAdd) {
        std::vector<domain::User> users;
        users.reserve(words.size());
        for (const std::string& who : words) users.push_back(findUser(accounts_, who));
        for (const domain::User& user : users) {
            const auto change = changeOf(name, user.id);
            switch (isAdd ? groups_->add(change) : groups_->remove(change)) {
            case domain::MembershipOutcome::Changed:
            case domain::MembershipOutcome::Unchanged: break;
            case domain::MembershipOutcome::NoSuchGroup: failWithoutGroup(name);
            case domain::MembershipOutcome::NoSuchUser:
                throw std::runtime_error("there is no such user: " + user.id.toString());
            case domain::MembershipOutcome::TooMany:
                throw std::runtime_error("the groups of this user would be too many: " + user.id.toString());
            }
        }
    }

    void remove(const std::string& name) {
        domain::removeGroup(*groups_, name, std::numeric_limits<std::int64_t>::max(), client_, clock_, random_);
    }

private:
    domain::MembershipChange changeOf(const std::string& name, const Uuid& userId) {
        const Timestamp now = clock_.now();
        return {userId, name, now, Uuid::makeV7(now, random_), client_};
    }

    template <typename Work>
    void forEachMember(const std::string& name, Work work) {
        Uuid last;
        while (true) {
            const auto users = groups_->listMembers(name, last, kMembersAtATime);
            for (const domain::User& user : users) work(user);
            if (users.size() < kMembersAtATime) return;
            last = users.back().id;
        }
    }

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<domain::AccountStore> accountStore_;
    std::unique_ptr<domain::UserGroupStore> groups_;
    domain::AccountService accounts_;
    domain::Client client_;
};

}  // namespace

int group(const Invocation& invocation) {
    const std::string& action = invocation.action;
    const bool asJson = invocation.has("--json");
    // What was not understood is said before the database is asked for.
    const std::string name = action == "list" ? "" : readGroupName(invocation.words.front());
    const auto settings = invocation.settings();
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    GroupCommand command(*connection, action);
    if (action == "create") command.create(name);
    if (action == "list") command.list(asJson);
    if (action == "show") command.show(name, asJson);
    if (action == "add" || action == "remove") {
        command.addOrRemove(name, {std::next(invocation.words.begin()), invocation.words.end()}, action == "add");
    }
    if (action == "delete") command.remove(name);
    return 0;
}

}  // namespace otpgate::cli
