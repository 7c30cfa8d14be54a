#include "delivery/message_directory.h"

#include "otpgate/base/errors.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace otpgate::delivery {

namespace {

std::string errorText(int error) {
    return std::generic_category().message(error);
}

// 0 or errno. Not synced to the disk: a file that a power failure took is asked for again by its reader.
int writeFile(const std::string& path, std::string_view content) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    int error = 0;
    while (!content.empty() && error == 0) {
        const ssize_t written = ::write(file, content.data(), content.size());
        if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
        if (written < 0 && errno != EINTR) error = errno;
    }
    if (::close(file) != 0 && error == 0) error = errno;
    return error;
}

void makeDirectory(const std::string& directory, const std::string& setting) {
    const std::string named = setting + " " + directory;
    std::error_code error;
    const std::filesystem::path path(directory);
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
        throw ConfigurationError(named + " cannot be made: " + errorText(errno));
    }
    if (!std::filesystem::is_directory(path, error)) throw ConfigurationError(named + " is not a directory");
    if (::access(directory.c_str(), W_OK | X_OK) != 0) {
        throw ConfigurationError(named + " is not writable: " + errorText(errno));
    }
}

}  // namespace

MessageDirectory::MessageDirectory(std::string directory, const std::string& section, std::string extension)
    : directory_(std::move(directory)),
      setting_(section + ".directory"),
      extension_(std::move(extension)) {
    while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
    if (directory_.empty()) throw ConfigurationError(setting_ + " is needed with " + section + ".transport = file");
    makeDirectory(directory_, setting_);
}

SendResult MessageDirectory::write(std::string_view content) {
    // Several processes may share the directory, so the time alone is no name.
    const std::string name = directory_ + "/" + std::to_string(toMicroseconds(clock_.now())) + "-" +
                             std::to_string(::getpid()) + "-" + std::to_string(++sequence_);
    const std::string temporary = name + ".tmp";
    int error = writeFile(temporary, content);
    if (error == 0 && std::rename(temporary.c_str(), (name + extension_).c_str()) != 0) error = errno;
    if (error == 0) {
        lastFile_ = name + extension_;
        return {};
    }
    ::unlink(temporary.c_str());
    return {SendResult::Outcome::TryLater, "cannot write to " + setting_ + ": " + errorText(error),
            SendResult::Cause::Provider};
}

}  // namespace otpgate::delivery
