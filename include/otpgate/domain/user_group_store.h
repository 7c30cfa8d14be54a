// Groups of users, which administrators make: applications are told them, and decide by them. Each function is one
// atomic step unless it says otherwise; one object a thread. Throws ServiceUnavailable when the database does not
// answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// The names of one user's groups, joined by commas: they go to applications in a header, beside others.
inline constexpr std::size_t kMostGroupNameBytes = 1000;

// 1 to 64 of a-z, 0-9, dot, hyphen and underscore; capitals become small letters.
std::optional<std::string> parseGroupName(std::string_view text);

struct UserGroup {
    std::string name;
    std::int64_t members = 0;
    Timestamp createdAt;
};

// The making or the end of a group.
struct GroupAct {
    std::string group;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct MembershipChange {
    Uuid userId;
    std::string group;
    Timestamp now;
    Uuid auditId;
    Client client;
};

enum class MembershipOutcome {
    Changed,
    Unchanged,  // it was so already
    NoSuchGroup,
    NoSuchUser,
    TooMany  // the user's groups would be more than kMostGroupNameBytes
};

class UserGroupStore {
public:
    virtual ~UserGroupStore() = default;

    virtual bool create(const GroupAct& act) = 0;  // false: there is one of this name
    virtual std::vector<UserGroup> list() = 0;     // by name
    virtual std::optional<UserGroup> find(std::string_view name) = 0;
    virtual std::vector<User> listMembers(std::string_view name, const Uuid& after, unsigned limit) = 0;  // by id
    virtual MembershipOutcome add(const MembershipChange& change) = 0;
    virtual MembershipOutcome remove(const MembershipChange& change) = 0;
    // One with no members. False: there is none of this name, or it has some.
    virtual bool removeEmpty(const GroupAct& act) = 0;
};

enum class GroupRemoval { Done, NoSuchGroup, TooManyMembers };
// Takes its members out, one by one, so that no login waits for all of them, and then removes it; one who comes
// meanwhile goes, too. TooManyMembers: there are more than `mostMembers`, and nothing happens.
GroupRemoval removeGroup(UserGroupStore& groups, const std::string& name, std::int64_t mostMembers,
                         const Client& client, const Clock& clock, Random& random);

}  // namespace otpgate::domain
