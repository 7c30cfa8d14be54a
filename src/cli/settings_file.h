// otpgate.conf as setup changes it: in place, with its owner and mode, and comments left alone.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

namespace otpgate::cli {

// The file as text. Throws ConfigurationError.
std::string readWholeFile(const std::string& path);

struct FileOwner {
    uid_t user = 0;
    gid_t group = 0;
    mode_t mode = 0644;
};
// Of a file that is there. Throws std::system_error.
FileOwner ownerOf(const std::string& path);

// Puts the content in place of what is there, as a whole or not at all. Throws std::system_error.
void replaceFile(const std::string& path, std::string_view content, const FileOwner& owner);

class SettingsFile {
public:
    explicit SettingsFile(std::string path);

    const std::string& path() const { return path_; }
    // True where it was another value before. Written at once.
    bool set(std::string_view key, std::string_view value);

private:
    std::string path_;
    std::string text_;
};

}  // namespace otpgate::cli
