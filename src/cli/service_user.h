// Users of this system: who the service runs as, and being somebody else for a moment. Used by commands that root calls
// to see what the service or the web server would see.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace otpgate::cli {

struct SystemUser {
    std::string name;
    uid_t id = 0;
    gid_t group = 0;
};

std::optional<SystemUser> findSystemUser(const std::string& name);
std::optional<SystemUser> findSystemUser(uid_t id);

// Whom the service's files are to be read as: `named`, or the user otpgate where root calls and there is one. Nullopt
// where that is the caller already. Throws ConfigurationError where there is no user of that name.
std::optional<SystemUser> serviceUser(const std::optional<std::string>& named);

// From now on, for good. Throws std::system_error.
void become(const SystemUser& user);

// While it lives, files and sockets are opened as this user; root alone can. The whole process, so for commands of one
// thread.
class ActingAs {
public:
    explicit ActingAs(const SystemUser& user);
    ~ActingAs();
    ActingAs(const ActingAs&) = delete;
    ActingAs& operator=(const ActingAs&) = delete;

private:
    std::vector<gid_t> groups_;
    gid_t group_;
};

}  // namespace otpgate::cli
