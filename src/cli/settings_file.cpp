#include "cli/settings_file.h"

#include "cli/settings_text.h"
#include "otpgate/base/errors.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::cli {

namespace {

[[noreturn]] void cannotWrite(const std::string& path) {
    throw std::system_error(errno, std::system_category(), "cannot write " + path);
}

}  // namespace

std::string readWholeFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw ConfigurationError("cannot read " + path + ": " + std::strerror(errno));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

FileOwner ownerOf(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) cannotWrite(path);
    return {found.st_uid, found.st_gid, static_cast<mode_t>(found.st_mode & 07777)};
}

void replaceFile(const std::string& path, std::string_view content, const FileOwner& owner) {
    const std::string next = path + ".new";
    ::unlink(next.c_str());
    const int file = ::open(next.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) cannotWrite(next);
    bool isGood = true;
    while (isGood && !content.empty()) {
        const ssize_t count = ::write(file, content.data(), content.size());
        isGood = count > 0;
        if (isGood) content.remove_prefix(static_cast<std::size_t>(count));
    }
    isGood =
        isGood && ::fchown(file, owner.user, owner.group) == 0 && ::fchmod(file, owner.mode) == 0 && ::fsync(file) == 0;
    const int reason = errno;
    ::close(file);
    if (isGood && std::rename(next.c_str(), path.c_str()) == 0) return;
    if (!isGood) errno = reason;
    const std::system_error error(errno, std::system_category(), "cannot write " + path);
    ::unlink(next.c_str());
    throw error;
}

SettingsFile::SettingsFile(std::string path) : path_(std::move(path)), text_(readWholeFile(path_)) {}

bool SettingsFile::set(std::string_view key, std::string_view value) {
    std::string changed = withSetting(text_, key, value);
    if (changed == text_) return false;
    replaceFile(path_, changed, ownerOf(path_));
    text_ = std::move(changed);
    return true;
}

}  // namespace otpgate::cli
