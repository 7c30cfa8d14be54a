// What the suites share that prove the engines to be the same: cases that are played on three stands, each in its own
// way, and compared by what they are answered and by every row that they leave behind.
#pragma once

#include "contract/store_test.h"
#include "otpgate/base/encoding.h"
#include "otpgate/store/stores.h"
#include "store/group_queue.h"

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::test {

struct Dimension {
    std::string name;
    std::vector<std::string> values;
};

// One value of each dimension, by name.
class Combination {
public:
    explicit Combination(const std::vector<Dimension>& dimensions) : dimensions_(dimensions) {}

    void choose(std::size_t dimension, std::size_t value) {
        chosen_.resize(dimensions_.size());
        chosen_[dimension] = value;
    }
    // A value that the dimension does not have is a mistake of the test's.
    bool is(std::string_view dimension, std::string_view value) const {
        const std::size_t at = find(dimension);
        const auto& values = dimensions_[at].values;
        if (std::ranges::find(values, value) == values.end()) throw std::logic_error(std::string{value});
        return values[chosen_[at]] == value;
    }
    const std::string& operator[](std::string_view dimension) const {
        const std::size_t at = find(dimension);
        return dimensions_[at].values[chosen_[at]];
    }
    std::string text() const {
        std::string text;
        for (const Dimension& dimension : dimensions_) text += dimension.name + "=" + (*this)[dimension.name] + " ";
        return text;
    }

private:
    std::size_t find(std::string_view name) const {
        for (std::size_t i = 0; i < dimensions_.size(); ++i) {
            if (dimensions_[i].name == name) return i;
        }
        throw std::logic_error(std::string{name});
    }

    const std::vector<Dimension>& dimensions_;
    std::vector<std::size_t> chosen_;
};

template <typename Visit>
void forEachCombination(const std::vector<Dimension>& dimensions, Visit visit) {
    std::size_t combinations = 1;
    for (const Dimension& dimension : dimensions) combinations *= dimension.values.size();
    Combination combination(dimensions);
    for (std::size_t i = 0; i < combinations; ++i) {
        std::size_t rest = i;
        for (std::size_t at = 0; at < dimensions.size(); ++at) {
            combination.choose(at, rest % dimensions[at].values.size());
            rest /= dimensions[at].values.size();
        }
        visit(combination);
    }
}

// A database, and how calls are made on it.
class Stand {
public:
    enum class Way {
        Together,       // several calls in one transaction; one alone
        ThroughGroups,  // the same over a connection for groups; one through store::Groups
        OneByOne        // each in a transaction of its own
    };

    Stand(std::string name, db::Engine engine, Way way) : name_(std::move(name)), way_(way), scratch_(engine) {
        scratch_.migrate();
        connection_ = scratch_.connect();
        groupConnection_ = scratch_.database().connectForGroups();
        groups_ = std::make_unique<store::Groups>(scratch_.database());
        if (engine == db::Engine::Sqlite) {
            for (db::Connection* connection : {connection_.get(), groupConnection_.get()}) {
                connection->query("PRAGMA synchronous = OFF");  // nothing is to outlive the test
            }
        }
    }

    const std::string& name() const { return name_; }
    db::Connection& connection() { return *connection_; }
    // How many of its statements have failed, those that were tried again included.
    std::uint64_t errors() const {
        std::uint64_t all = 0;
        for (int kind = 0; kind <= static_cast<int>(db::ErrorKind::Other); ++kind) {
            all += scratch_.database().metrics().errors.of(static_cast<db::ErrorKind>(kind)).value();
        }
        return all;
    }
    void clear() { scratch_.emptyTables(); }

    template <typename Call>
    std::vector<store::AnswerTo<Call>> play(const std::vector<Call>& calls) {
        if (way_ != Way::OneByOne && calls.size() > 1) return makeTogether(*groupConnection_, calls);
        std::vector<store::AnswerTo<Call>> answers;
        for (const Call& call : calls) {
            answers.push_back(store::make(call, *connection_, way_ == Way::ThroughGroups ? groups_.get() : nullptr));
        }
        return answers;
    }

private:
    std::string name_;
    Way way_;
    mutable ScratchDatabase scratch_;
    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<db::Connection> groupConnection_;
    std::unique_ptr<store::Groups> groups_;
};

// Whatever a result says, as text.
class Telling {
public:
    Telling& add(std::string_view name, const std::string& value) {
        text_ << ' ' << name << '=' << value;
        return *this;
    }
    Telling& add(std::string_view name, const char* value) { return add(name, std::string{value}); }
    Telling& add(std::string_view name, bool value) { return add(name, std::string{value ? "yes" : "no"}); }
    Telling& add(std::string_view name, const Uuid& value) { return add(name, value.toString()); }
    Telling& add(std::string_view name, Timestamp value) { return add(name, std::to_string(toMicroseconds(value))); }
    Telling& add(std::string_view name, const domain::Destination& value) { return add(name, value.value()); }
    template <typename Enum>
    requires std::is_enum_v<Enum> Telling& add(std::string_view name, Enum value) {
        return add(name, std::to_string(static_cast<int>(value)));
    }
    template <typename Number>
    requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>) Telling& add(std::string_view name,
                                                                                       Number value) {
        return add(name, std::to_string(value));
    }
    template <typename T>
    Telling& add(std::string_view name, const std::optional<T>& value) {
        return value ? add(name, *value) : add(name, "none");
    }
    Telling& addBytes(std::string_view name, const std::string& value) { return add(name, toHex(value)); }
    std::string text() const { return text_.str(); }

private:
    std::ostringstream text_;
};

inline std::string told(const domain::OtpRequestResult& result) {
    return Telling{}
        .add("outcome", result.outcome)
        .addBytes("hits", result.hits)
        .add("otpId", result.otpId)
        .add("expiresAt", result.expiresAt)
        .add("isDiscarded", result.isDiscarded)
        .add("languages", result.languages)
        .text();
}

inline void tell(Telling& telling, const domain::User& user) {
    telling.add("user", user.id)
        .add("username", user.username)
        .add("displayName", user.displayName)
        .add("email", user.email)
        .add("phone", user.phoneNumber)
        .add("emailVerified", user.emailVerified)
        .add("phoneVerified", user.phoneVerified)
        .add("firstName", user.firstName)
        .add("lastName", user.lastName)
        .add("locale", user.locale)
        .add("role", user.role)
        .add("status", user.status)
        .add("hasPassword", user.hasPassword)
        .add("joinedAt", user.joinedAt)
        .add("lastLoginAt", user.lastLoginAt);
}

inline void tell(Telling& telling, const domain::OutboxMessage& message) {
    telling.add("message", message.id)
        .add("kind", message.kind)
        .add("otpId", message.otpId)
        .add("to", message.destination)
        .add("locale", message.locale)
        .add("requestId", message.requestId)
        .add("ip", message.notice.ipAddress)
        .add("device", message.notice.device)
        .add("changed", message.notice.changedAddress)
        .add("createdAt", message.createdAt)
        .add("expiresAt", message.expiresAt)
        .add("availableAt", message.availableAt);
}

inline std::string told(const domain::OtpVerifyResult& result) {
    Telling telling;
    telling.add("outcome", result.outcome)
        .add("attemptsLeft", result.attemptsLeft)
        .addBytes("hits", result.hits)
        .add("channel", result.channel)
        .add("purpose", result.purpose)
        .add("destination", result.destination);
    if (result.signIn) {
        telling.add("isNewUser", result.signIn->isNewUser)
            .add("session", result.signIn->sessionId)
            .add("signInDevice", result.signIn->deviceId)
            .add("methods", result.signIn->methods);
        tell(telling, result.signIn->user);
    }
    if (result.notice) tell(telling, *result.notice);
    return telling.text();
}

inline std::string told(const domain::SessionRefreshResult& result) {
    return Telling{}
        .add("outcome", result.outcome)
        .add("user", result.userId)
        .add("authenticatedAt", result.authenticatedAt)
        .add("methods", result.methods)
        .text();
}

// Three stands that play at the same time, and what was found different between them. Each case has fresh rows, of ids
// that no other has; the clock stands still.
class EnginesAlike : public CppUnit::TestFixture {
protected:
    using Seed = std::function<void(db::Connection&)>;

    Timestamp now() const { return now_; }
    Uuid newId() { return Uuid::makeV7(now_, random_); }
    // A row that is there before the cases are played.
    void seed(Seed row) { seeds_.push_back(std::move(row)); }
    std::string newAddress(bool isSms = false) {
        const std::string number = std::to_string(++addresses_);
        return isSms ? "+4366" + std::string(8 - number.size(), '0') + number : "user" + number + "@example.org";
    }

    template <typename Call>
    struct Case {
        std::string name;
        std::vector<Call> calls;
    };
    // All of them, one after the other on each stand; then every row is compared.
    template <typename Call>
    void requireAlike(const std::vector<Case<Call>>& cases) {
        tables();
        std::vector<std::future<Played>> played;
        for (const auto& stand : stands()) {
            played.push_back(std::async(std::launch::async, [&] { return play(*stand, cases); }));
        }
        const Played first = played.front().get();
        for (std::size_t i = 1; i < played.size(); ++i) {
            const Played other = played[i].get();
            requireSame(stands()[i]->name() + " answers", first.answers, other.answers);
            requireSame(stands()[i]->name() + " leaves", first.rows, other.rows);
        }
    }

private:
    static std::vector<std::unique_ptr<Stand>>& stands() {
        static auto all = [] {
            std::vector<std::unique_ptr<Stand>> made;
            made.push_back(std::make_unique<Stand>("SQLite", db::Engine::Sqlite, Stand::Way::Together));
            made.push_back(std::make_unique<Stand>("MariaDB in groups", db::Engine::Mysql, Stand::Way::ThroughGroups));
            made.push_back(std::make_unique<Stand>("MariaDB one by one", db::Engine::Mysql, Stand::Way::OneByOne));
            return made;
        }();
        return all;
    }

    struct Played {
        std::vector<std::string> answers;
        std::vector<std::string> rows;
    };
    template <typename Call>
    Played play(Stand& stand, const std::vector<Case<Call>>& cases) const {
        stand.clear();
        stand.connection().transact([&] {
            for (const Seed& row : seeds_) row(stand.connection());
        });
        const auto errors = stand.errors();
        Played played;
        for (const Case<Call>& each : cases) {
            std::string answer = each.name;
            for (const auto& result : stand.play(each.calls)) answer += "\n " + told(result);
            played.answers.push_back(std::move(answer));
        }
        // Nobody else is at work, so each is right at its first try.
        CPPUNIT_ASSERT_EQUAL_MESSAGE(stand.name(), errors, stand.errors());
        played.rows = rowsOf(stand);
        return played;
    }

    // The columns that both engines have, and what is in them: 'i' a number, 't' text, 'b' bytes.
    using Columns = std::vector<std::pair<std::string, char>>;
    static const std::map<std::string, Columns>& tables() {
        static const auto all = [] {
            std::map<std::string, Columns> found;
            db::Connection& sqlite = stands().front()->connection();
            for (const char* table :
                 {"otp_requests", "rate_limits", "users", "devices", "sessions", "outbox", "audit_events"}) {
                for (const db::Row& row :
                     sqlite.query("SELECT name, type FROM pragma_table_info('" + std::string{table} + "')")) {
                    const std::string& type = row.text(1);
                    found[table].emplace_back(row.text(0), type == "BIGINT" ? 'i' : type == "BLOB" ? 'b' : 't');
                }
            }
            return found;
        }();
        return all;
    }
    static std::vector<std::string> rowsOf(Stand& stand) {
        std::vector<std::string> rows;
        for (const auto& [table, columns] : tables()) {
            std::string names;
            for (const auto& column : columns) names += (names.empty() ? "" : ", ") + column.first;
            for (const db::Row& row : stand.connection().query("SELECT " + names + " FROM " + table + " ORDER BY " +
                                                               columns.front().first)) {
                rows.push_back(table + describe(row, columns));
            }
        }
        return rows;
    }
    static std::string describe(const db::Row& row, const Columns& columns) {
        std::string text;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const auto& [name, kind] = columns[i];
            text += " " + name + "=";
            if (row.isNull(i))
                text += "NULL";
            else if (kind == 'i')
                text += std::to_string(row.integer(i));
            else
                text += kind == 'b' ? toHex(row.text(i)) : row.text(i);
        }
        return text;
    }

    static void requireSame(const std::string& what, const std::vector<std::string>& expected,
                            const std::vector<std::string>& actual) {
        std::string differences;
        int count = 0;
        const auto differ = [&](const std::string& mark, const std::string& line) {
            if (++count <= 12) differences += mark + line + "\n";
        };
        for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
            const std::string none = "nothing";
            const std::string& before = i < expected.size() ? expected[i] : none;
            const std::string& after = i < actual.size() ? actual[i] : none;
            if (before == after) continue;
            differ("- ", before);
            differ("+ ", after);
            // One row more or less shifts all that follow.
            if (expected.size() != actual.size()) break;
        }
        CPPUNIT_ASSERT_EQUAL_MESSAGE(what + " otherwise, in " + std::to_string(count / 2) + " places", std::string{},
                                     differences);
    }

    const Timestamp now_ = FakeClock{}.now();
    CountingRandom random_;
    std::size_t addresses_ = 0;
    std::vector<Seed> seeds_;
};

}  // namespace otpgate::test
