#include "crypto/argon2_hash.h"

#include "crypto/hash_fields.h"
#include "crypto/openssl.h"
#include "otpgate/base/errors.h"

#include <stdexcept>
#include <sys/mman.h>
#include <utility>

namespace otpgate::crypto {
namespace {

constexpr unsigned kMaxLanes = 16;
constexpr std::size_t kMinTagBytes = 16;

// The libraries' structures want pointers to what they only read.
std::uint8_t* writable(std::string_view text) {
    return const_cast<std::uint8_t*>(asBytes(text));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// `m=19456,t=2,p=1`
bool readCost(std::string_view text, Argon2Hash& out) {
    auto parts = split(text, ',');
    if (parts.size() != 3 || !skip(parts[0], "m=") || !skip(parts[1], "t=") || !skip(parts[2], "p=")) return false;
    const auto lanes = parseCost(parts[2], 1);
    const auto memory = parseCost(parts[0], kMinPasswordMemoryKib);
    const auto iterations = parseCost(parts[1], 1);
    if (!lanes || !memory || !iterations) return false;
    if (std::uint64_t{kMinPasswordMemoryKib} * *lanes > *memory) return false;
    out.cost = {*memory, *iterations};
    out.lanes = *lanes;
    return true;
}

thread_local HashMemory* hashMemory = nullptr;

void* mapMemory(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    // Ten large pages instead of 5,000 small ones to fault in and to look up. Only a wish.
    static_cast<void>(::madvise(memory, bytes, MADV_HUGEPAGE));
    return memory;
}

}  // namespace

// As libargon2 wants them. It wipes the memory before it gives it back.
struct HashMemoryCallbacks {
    static int allocate(std::uint8_t** memory, std::size_t bytes) {
        void* found = nullptr;
        if (hashMemory != nullptr && bytes <= hashMemory->maxKept_) {
            if (hashMemory->bytes_ < bytes) {
                hashMemory->release();
                hashMemory->memory_ = mapMemory(bytes);
                hashMemory->bytes_ = hashMemory->memory_ == nullptr ? 0 : bytes;
            }
            found = hashMemory->memory_;
        } else {
            found = mapMemory(bytes);
        }
        *memory = static_cast<std::uint8_t*>(found);
        return found == nullptr ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
    }
    static void free(std::uint8_t* memory, std::size_t bytes) {
        if (hashMemory == nullptr || memory != hashMemory->memory_) ::munmap(memory, bytes);
    }
};

HashMemory::HashMemory(unsigned maxKeptKib) : maxKept_(std::size_t{maxKeptKib} * 1024) {
    hashMemory = this;
}
HashMemory::~HashMemory() {
    release();
    hashMemory = nullptr;
}

void HashMemory::release() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
    memory_ = nullptr;
    bytes_ = 0;
}

std::string formatArgon2(const Argon2Hash& hash) {
    return std::string("$argon2id$v=19$m=")
        .append(std::to_string(hash.cost.memoryKib))
        .append(",t=")
        .append(std::to_string(hash.cost.iterations))
        .append(",p=1$")
        .append(toBase64(hash.salt))
        .append("$")
        .append(toBase64(hash.hash));
}

std::optional<Argon2Hash> readArgon2(std::string_view text) {
    Argon2Hash out;
    if (skip(text, "$argon2i$")) {
        out.type = Argon2_i;
    } else if (!skip(text, "$argon2id$")) {
        return std::nullopt;
    }
    // Without it, it was made before the version was written down.
    if (!skip(text, "v=19$")) out.version = ARGON2_VERSION_10;
    if (out.version == ARGON2_VERSION_10) skip(text, "v=16$");
    const auto parts = split(text, '$');
    if (parts.size() != 3 || !readCost(parts[0], out)) return std::nullopt;
    auto salt = parseBase64(parts[1]);
    auto hash = parseBase64(parts[2]);
    if (!salt || salt->size() < ARGON2_MIN_SALT_LENGTH || !hash || hash->size() < kMinTagBytes) return std::nullopt;
    out.salt = std::move(*salt);
    out.hash = std::move(*hash);
    return out;
}

bool exceedsLimits(const Argon2Hash& hash) {
    return hash.cost.memoryKib > kMaxPasswordMemoryKib || hash.cost.iterations > kMaxPasswordIterations ||
           hash.lanes > kMaxLanes;
}

std::string computeArgon2(std::string_view password, const Argon2Hash& how) {
    std::string out(how.hash.size(), '\0');
    argon2_context context{};
    context.out = asBytes(out);
    context.outlen = static_cast<std::uint32_t>(out.size());
    context.pwd = writable(password);
    context.pwdlen = static_cast<std::uint32_t>(password.size());
    context.salt = writable(how.salt);
    context.saltlen = static_cast<std::uint32_t>(how.salt.size());
    context.t_cost = how.cost.iterations;
    context.m_cost = how.cost.memoryKib;
    context.lanes = how.lanes;
    context.threads = 1;  // this one computes all lanes: the result is the same
    context.version = how.version;
    context.allocate_cbk = HashMemoryCallbacks::allocate;
    context.free_cbk = HashMemoryCallbacks::free;
    const int result = argon2_ctx(&context, how.type);
    if (result == ARGON2_MEMORY_ALLOCATION_ERROR) throw ServiceUnavailable("no memory for a password hash");
    if (result != ARGON2_OK) throw std::runtime_error(std::string("Argon2: ") + argon2_error_message(result));
    return out;
}

}  // namespace otpgate::crypto
