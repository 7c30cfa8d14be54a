// Remembers what was asked of it and answers what the test set; the parts that neither passwords nor addresses need do
// nothing.
#pragma once

#include "otpgate/base/errors.h"
#include "otpgate/domain/account_store.h"
#include "otpgate/domain/notice.h"
#include "support_cpp/people.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace otpgate::test {

class FakeAccountStore final : public domain::AccountStore {
public:
    domain::CountedGuess next;
    std::vector<domain::PasswordGuess> guesses;
    std::vector<Timestamp> givenBack;
    std::vector<domain::WrongPassword> wrong;
    std::vector<std::string> upgradedFrom;
    std::vector<domain::PasswordReset> resets;
    std::vector<domain::PasswordChange> changes;
    std::vector<domain::AddressChange> addressChanges;
    std::vector<std::pair<Uuid, domain::PendingRegistration>> kept;
    std::vector<domain::ProfileChange> profileChanges;
    std::vector<std::string> costs;
    std::vector<std::pair<Uuid, std::string>> hashes;
    bool changesPasswords = true;
    bool setsPasswords = true;
    std::optional<domain::User> found;         // by any address
    std::optional<domain::User> known;         // by any id
    std::optional<domain::User> receiptOwner;  // of any receipt of a reset
    bool fails = false;                        // a reset or a change of address
    domain::OtpVerifyResult codeResult;        // of the guess that a reset is proved by
    domain::AddressChangeResult addressChanged;
    domain::AccountCreation creation;
    std::vector<domain::NewAccount> created;
    std::vector<Uuid> removed;
    std::optional<Uuid> removedBy;  // the last of them
    std::vector<domain::AddressAssignment> assignments;
    domain::AddressAssigned assigned;
    std::vector<domain::StatusChange> statusChanges;

    domain::CountedGuess countGuess(const domain::PasswordGuess& guess) override {
        guesses.push_back(guess);
        domain::CountedGuess counted = next;
        counted.buckets = {guess.bucket, guess.clientBucket};
        return counted;
    }
    // Places; a failure alone is no place.
    void giveBackGuess(const std::vector<std::string>& buckets, const std::string&, Timestamp countedAt) override {
        if (!buckets.empty()) givenBack.push_back(countedAt);
    }
    std::optional<domain::OutboxMessage> auditWrongPassword(const domain::WrongPassword& password) override {
        wrong.push_back(password);
        return std::nullopt;
    }
    void upgradeHash(const Uuid&, std::string_view oldHash, std::string_view) override {
        upgradedFrom.emplace_back(oldHash);
    }
    std::optional<domain::User> findByReset(const Uuid&) override { return receiptOwner; }
    domain::PasswordSetting resetPassword(const domain::PasswordReset& reset) override {
        requireAnswer();
        resets.push_back(reset);
        if (!setsPasswords) return {false, false, codeResult, std::nullopt};
        return {true, false, codeResult, written(reset.notice)};
    }
    domain::PasswordSetting changePassword(const domain::PasswordChange& change) override {
        changes.push_back(change);
        if (!changesPasswords) return {};
        return {true, false, {}, written(change.notice)};
    }
    domain::AddressChangeResult changeAddress(const domain::AddressChange& change) override {
        requireAnswer();
        addressChanges.push_back(change);
        return addressChanged;
    }
    void keepRegistration(const Uuid& otpId, const domain::PendingRegistration& registration) override {
        kept.emplace_back(otpId, registration);
    }
    domain::AccountCreation create(const domain::NewAccount& account) override {
        created.push_back(account);
        return creation;
    }
    std::optional<domain::User> find(const Uuid&) override { return known; }
    std::optional<domain::User> find(const domain::Destination&) override { return found; }
    std::vector<domain::User> list(const Uuid&, unsigned) override { return {}; }
    std::optional<domain::User> findNamed(std::string_view) override { return std::nullopt; }
    domain::ProfileUpdate updateProfile(const domain::ProfileChange& change) override {
        profileChanges.push_back(change);
        if (!found) return {};
        return {domain::ProfileUpdate::Outcome::Updated, found};
    }
    domain::AddressAssigned assignAddress(const domain::AddressAssignment& assignment) override {
        assignments.push_back(assignment);
        return assigned;
    }
    bool setStatus(const domain::StatusChange& change) override {
        statusChanges.push_back(change);
        return true;
    }
    bool setRole(const domain::RoleChange&) override { return false; }
    std::vector<domain::ExportSection> exportOf(const Uuid&, std::span<const std::string>) override { return {}; }
    bool remove(const domain::UserDeletion& deletion) override {
        removed.push_back(deletion.user.id);
        removedBy = deletion.actor;
        return true;
    }
    std::vector<std::string> passwordCosts() override { return costs; }
    void notePasswordCosts(const std::vector<std::string>& noted) override {
        costs.insert(costs.end(), noted.begin(), noted.end());
    }
    std::vector<std::pair<Uuid, std::string>> passwordHashes(const Uuid& after, unsigned limit) override {
        std::vector<std::pair<Uuid, std::string>> page;
        for (const auto& each : hashes) {
            if (after < each.first && page.size() < limit) page.push_back(each);
        }
        return page;
    }
    std::vector<domain::ImportResult> import(std::span<const domain::ImportedUser>, Timestamp) override { return {}; }

private:
    void requireAnswer() const {
        if (fails) throw ServiceUnavailable("the database has gone");
    }
    static std::optional<domain::OutboxMessage> written(const std::optional<domain::NoticeDraft>& draft) {
        if (!draft) return std::nullopt;
        return domain::makeNotice(*draft, domain::Destination::parse("ada@example.org").value(), readerOf("de"));
    }
};

}  // namespace otpgate::test
