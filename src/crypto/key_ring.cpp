#include "otpgate/crypto/key_ring.h"

#include "crypto/wiper.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace otpgate::crypto {
namespace {

constexpr std::string_view kLinePrefix = "otpgate1:";
constexpr std::size_t kMasterKeyBytes = 32;
constexpr std::size_t kMaxFileBytes = 64 * 1024;

// In the order of KeyUse. A label is part of every derived key: it is never changed and never used for something else.
constexpr std::array<std::string_view, 22> kLabels = {
    "otpgate otp-code v1",          "otpgate refresh-token v1",      "otpgate sealed-secret v1",
    "otpgate access-token v1",      "otpgate device-token v1",       "otpgate session-cookie v1",
    "otpgate csrf-token v1",        "otpgate otp-receipt v1",        "otpgate verification-context v1",
    "otpgate site-cookie v1",       "otpgate site-ticket v1",        "otpgate otp-link v1",
    "otpgate otp-asker v1",         "otpgate passkey-challenge v1",  "otpgate totp-secret v1",
    "otpgate totp-invitation v1",   "otpgate second-step v1",        "otpgate oidc-code v1",
    "otpgate oidc-access-token v1", "otpgate oidc-refresh-token v1", "otpgate webhook-secret v1",
    "otpgate work-challenge v1"};
constexpr std::string_view kFingerprintLabel = "otpgate fingerprint v1";
constexpr std::size_t kFingerprintBytes = 8;
constexpr std::string_view kBlanks = " \t\r";

class FileDescriptor {
public:
    explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
    ~FileDescriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    int get() const { return descriptor_; }
    bool isOpen() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

[[noreturn]] void fail(std::string_view what, const std::string& path) {
    const std::string reason = std::system_category().message(errno);
    throw ConfigurationError(std::string(what) + " " + path + ": " + reason);
}

std::optional<std::string> parseMasterKey(std::string_view line) {
    if (!line.starts_with(kLinePrefix)) return std::nullopt;
    auto key = parseHex(line.substr(kLinePrefix.size()));
    if (!key || key->size() != kMasterKeyBytes) return std::nullopt;
    return key;
}

// True when all of it was written.
bool writeAll(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

// The name of a new file is safe only when its directory is, too.
bool syncDirectoryOf(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path();
    const FileDescriptor directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return directory.isOpen() && ::fsync(directory.get()) == 0;
}

struct KeyFile {
    std::string text;
    struct stat status {};
};

KeyFile readKeyFile(const std::string& path) {
    // Not blocking: where the name is a pipe by mistake, the start must not hang.
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    KeyFile read;
    if (!file.isOpen() || ::fstat(file.get(), &read.status) != 0) fail("cannot read the key file", path);
    if (!S_ISREG(read.status.st_mode)) throw ConfigurationError("the key file " + path + " is not a plain file");
    if ((read.status.st_mode & S_IRWXO) != 0) {
        throw ConfigurationError("the key file " + path + " is open to other users: chmod o= " + path);
    }
    std::string buffer(kMaxFileBytes, '\0');
    const Wiper wiper(buffer);
    std::size_t length = 0;
    while (length < buffer.size()) {
        const ssize_t count = ::read(file.get(), buffer.data() + length, buffer.size() - length);
        if (count == 0) break;
        if (count > 0) {
            length += static_cast<std::size_t>(count);
        } else if (errno != EINTR) {
            fail("cannot read the key file", path);
        }
    }
    if (length == buffer.size()) throw ConfigurationError("the key file " + path + " is too long");
    read.text = buffer.substr(0, length);
    return read;
}

// Whoever reads it meanwhile sees the old one or the new one, also after a crash.
void replaceKeyFile(const std::string& path, const std::string& text, const struct stat& status) {
    const std::string next = path + ".new";
    ::unlink(next.c_str());  // of one that was killed
    const FileDescriptor file(::open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.isOpen()) fail("cannot create the key file", next);
    const bool isDone = writeAll(file.get(), text) && ::fchown(file.get(), status.st_uid, status.st_gid) == 0 &&
                        ::fchmod(file.get(), status.st_mode & 07777) == 0 && ::fsync(file.get()) == 0 &&
                        ::rename(next.c_str(), path.c_str()) == 0 && syncDirectoryOf(path);
    if (isDone) return;
    const int reason = errno;
    ::unlink(next.c_str());
    errno = reason;
    fail("cannot replace the key file", path);
}

// Of the lines of a key file: where its first and its last key stand.
struct KeyLines {
    std::vector<std::string> lines;
    std::size_t first = 0;
    std::size_t last = 0;

    explicit KeyLines(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            lines.emplace_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        const auto isKey = [](const std::string& line) { return trim(line, kBlanks).starts_with(kLinePrefix); };
        const auto begin = std::ranges::find_if(lines, isKey);
        first = static_cast<std::size_t>(begin - lines.begin());
        for (std::size_t i = first; i < lines.size(); ++i) {
            if (isKey(lines[i])) last = i;
        }
    }
    ~KeyLines() {
        for (std::string& line : lines) OPENSSL_cleanse(line.data(), line.size());
    }
    KeyLines(const KeyLines&) = delete;
    KeyLines& operator=(const KeyLines&) = delete;

    std::string text() const {
        std::string text;
        for (const std::string& line : lines) text += line + "\n";
        return text;
    }
};

template <typename Change>
void changeKeyFile(const std::string& path, const Change& change) {
    KeyFile file = readKeyFile(path);
    const Wiper wiper(file.text);
    KeyRing::parse(file.text, path);  // or it says what is wrong
    KeyLines lines(file.text);
    change(lines);
    std::string text = lines.text();
    const Wiper textWiper(text);
    replaceKeyFile(path, text, file.status);
}

}  // namespace

KeyRing KeyRing::load(const std::string& path) {
    std::string text = readKeyFile(path).text;
    const Wiper wiper(text);
    return parse(text, path);
}

KeyRing KeyRing::parse(std::string_view text, std::string_view fileName) {
    const std::string name(fileName);
    KeyRing ring;
    ring.keys_.resize(kLabels.size());
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trim(text.substr(0, end), kBlanks);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        auto master = parseMasterKey(line);
        // The line is not quoted: it may be a key with one wrong character.
        if (!master) {
            throw ConfigurationError(name + ":" + std::to_string(number) +
                                     ": not a key (expected otpgate1: and 64 lower-case hex digits)");
        }
        const Wiper wiper(*master);
        for (std::size_t use = 0; use < kLabels.size(); ++use) {
            ring.keys_[use].push_back(hkdfSha256(*master, kLabels[use]));
        }
        ring.fingerprints_.push_back(toHex(hkdfSha256(*master, kFingerprintLabel).substr(0, kFingerprintBytes)));
    }
    if (ring.keys_.front().empty()) throw ConfigurationError("the key file " + name + " holds no key");
    return ring;
}

const std::vector<std::string>& KeyRing::keys(KeyUse use) const {
    return keys_.at(static_cast<std::size_t>(use));
}

KeyRing KeyRing::withLastFirst() const {
    KeyRing ring = *this;
    const auto turn = [](std::vector<std::string>& all) { std::rotate(all.begin(), all.end() - 1, all.end()); };
    for (auto& keys : ring.keys_) turn(keys);
    turn(ring.fingerprints_);
    return ring;
}

KeyRing KeyRing::withoutLast() const {
    KeyRing ring = *this;
    for (auto& keys : ring.keys_) keys.pop_back();
    ring.fingerprints_.pop_back();
    return ring;
}

std::string makeMasterKeyLine(Random& random) {
    std::array<std::uint8_t, kMasterKeyBytes> key{};
    random.fill(key);
    std::string line(kLinePrefix);
    line += toHex({reinterpret_cast<const char*>(key.data()), key.size()});
    OPENSSL_cleanse(key.data(), key.size());
    return line;
}

void createKeyFile(const std::string& path, Random& random) {
    std::string line = makeMasterKeyLine(random) + "\n";
    const Wiper wiper(line);
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.isOpen()) fail("cannot create the key file", path);
    if (!writeAll(file.get(), line) || ::fsync(file.get()) != 0 || !syncDirectoryOf(path)) {
        const int reason = errno;
        ::unlink(path.c_str());  // half a key file would only stop the next try
        errno = reason;
        fail("cannot write the key file", path);
    }
}

void addKey(const std::string& path, Random& random) {
    changeKeyFile(path, [&](KeyLines& lines) { lines.lines.push_back(makeMasterKeyLine(random)); });
}

void promoteLastKey(const std::string& path) {
    changeKeyFile(path, [](KeyLines& lines) {
        const auto begin = lines.lines.begin();
        std::rotate(begin + static_cast<std::ptrdiff_t>(lines.first), begin + static_cast<std::ptrdiff_t>(lines.last),
                    begin + static_cast<std::ptrdiff_t>(lines.last) + 1);
    });
}

void dropLastKey(const std::string& path) {
    changeKeyFile(path, [](KeyLines& lines) {
        lines.lines.erase(lines.lines.begin() + static_cast<std::ptrdiff_t>(lines.last));
    });
}

}  // namespace otpgate::crypto
