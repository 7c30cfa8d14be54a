#include "otpgate/domain/user_group_store.h"

#include "otpgate/base/dot_segment.h"
#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

std::optional<std::string> parseGroupName(std::string_view text) {
    constexpr std::size_t kMaxCharacters = 64;
    std::string name = toLower(text);
    const bool isPlain =
        std::ranges::all_of(name, [](char c) { return isLetterOrDigit(c) || c == '.' || c == '-' || c == '_'; });
    if (name.empty() || name.size() > kMaxCharacters || !isPlain || isDotSegment(name)) return std::nullopt;
    return name;
}

GroupRemoval removeGroup(UserGroupStore& groups, const std::string& name, std::int64_t mostMembers,
                         const Client& client, const Clock& clock, Random& random) {
    constexpr unsigned kBatch = 500;
    const auto group = groups.find(name);
    if (!group) return GroupRemoval::NoSuchGroup;
    if (group->members > mostMembers) return GroupRemoval::TooManyMembers;
    const auto removeEmpty = [&] {
        const Timestamp now = clock.now();
        return groups.removeEmpty({name, now, Uuid::makeV7(now, random), client});
    };
    while (!removeEmpty() && groups.find(name)) {
        Uuid last;
        std::vector<User> members;
        do {
            members = groups.listMembers(name, last, kBatch);
            for (const User& user : members) {
                const Timestamp now = clock.now();
                groups.remove({user.id, name, now, Uuid::makeV7(now, random), client});
                last = user.id;
            }
        } while (members.size() == kBatch);
    }
    return GroupRemoval::Done;
}

}  // namespace otpgate::domain
