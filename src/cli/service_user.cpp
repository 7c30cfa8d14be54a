#include "cli/service_user.h"

#include "otpgate/base/errors.h"

#include <cerrno>
#include <cstdlib>
#include <grp.h>
#include <pwd.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::cli {

namespace {

constexpr const char* kServiceUser = "otpgate";

std::optional<SystemUser> toUser(const passwd* entry) {
    if (entry == nullptr) return std::nullopt;
    return SystemUser{entry->pw_name, entry->pw_uid, entry->pw_gid};
}

[[noreturn]] void cannotBecome(const SystemUser& user) {
    throw std::system_error(errno, std::system_category(), "cannot become " + user.name);
}

std::vector<gid_t> ownGroups() {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
    const int count = getgroups(static_cast<int>(groups.size()), groups.data());
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    return groups;
}

}  // namespace

std::optional<SystemUser> findSystemUser(const std::string& name) {
    return toUser(getpwnam(name.c_str()));
}

std::optional<SystemUser> findSystemUser(uid_t id) {
    return toUser(getpwuid(id));
}

std::optional<SystemUser> serviceUser(const std::optional<std::string>& named) {
    if (!named && geteuid() != 0) return std::nullopt;
    auto user = findSystemUser(named.value_or(kServiceUser));
    if (!user && named) throw ConfigurationError("there is no user " + *named);
    if (!user || user->id == geteuid()) return std::nullopt;
    return user;
}

void become(const SystemUser& user) {
    if (initgroups(user.name.c_str(), user.group) != 0 || setgid(user.group) != 0 || setuid(user.id) != 0) {
        cannotBecome(user);
    }
}

ActingAs::ActingAs(const SystemUser& user) : groups_(ownGroups()), group_(getegid()) {
    if (initgroups(user.name.c_str(), user.group) != 0 || setegid(user.group) != 0 || seteuid(user.id) != 0) {
        cannotBecome(user);
    }
}

ActingAs::~ActingAs() {
    // Whoever cannot be root again must not go on as somebody that he is not meant to be.
    if (seteuid(0) != 0 || setegid(group_) != 0 || setgroups(groups_.size(), groups_.data()) != 0) std::abort();
}

}  // namespace otpgate::cli
