// What the commands that take users over share: the database, batches, and what is said of each row that was not taken.
#pragma once

#include "cli/command_line.h"
#include "cli/import_row.h"
#include "otpgate/crypto/random.h"
#include "otpgate/store/stores.h"

#include <cstddef>
#include <fstream>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace otpgate::cli {

class UserImport {
public:
    // The first word of the command is the file, - is standard input; what a row is called there. Throws
    // std::runtime_error where it cannot be read.
    UserImport(const Invocation& invocation, std::string_view rowWord);

    std::istream& in() { return file_.is_open() ? file_ : standardInput_; }
    domain::EmailValidation validation() const { return settings_.emailValidation; }
    db::Connection& connection() { return *connection_; }

    struct Row {
        std::size_t number = 0;
        std::string text;
    };
    // Asks `next` for one row after the other, and `parse` for what it says: nullopt where it is no user, BadRow where
    // it cannot be taken. Says what became of all, and returns the exit code.
    using Next = std::function<std::optional<Row>()>;
    using Parse = std::function<std::optional<ImportRow>(const std::string& text, Timestamp now)>;
    int run(const Next& next, const Parse& parse);

private:
    void add(const std::string& text, const Parse& parse);
    void skip(const std::string& reason);
    void sayOf(std::size_t row, const std::string& what) const;
    std::optional<std::size_t> rowWithAddressOf(const domain::User& user);
    void boundCosts(ImportRow& row);
    void flush();
    void summarize() const;

    struct Pending {
        std::size_t row = 0;
        std::string passwordNotTaken;
        std::string usernameNotTaken;
    };

    std::string rowWord_;
    std::ifstream file_;
    std::istream& standardInput_;
    Settings settings_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::AccountStore> store_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    std::set<std::string> costs_;  // of the hashes that are there or were taken
    std::size_t costsNoted_ = 0;   // of them, when they were last written
    std::vector<domain::ImportedUser> batch_;
    std::vector<Pending> pending_;                        // of each in the batch
    std::unordered_map<std::size_t, std::size_t> rowOf_;  // by the hash of the address: millions must fit
    std::size_t row_ = 0;
    std::size_t imported_ = 0;
    std::size_t unchanged_ = 0;
    std::size_t skipped_ = 0;
    std::size_t others_ = 0;
    std::map<std::string, std::size_t> skippedBy_;          // by reason
    std::map<std::string, std::size_t> passwordsNotTaken_;  // by reason
    std::map<std::string, std::size_t> usernamesNotTaken_;  // by reason
};

}  // namespace otpgate::cli
