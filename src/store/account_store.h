// The table users for what is not a login by code: account_passwords.cpp has the passwords, account_addresses.cpp the
// change of an address, account_removal.cpp the end.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/account_store.h"

namespace otpgate::store {

class AccountTable final : public domain::AccountStore {
public:
    explicit AccountTable(db::Connection& connection) : connection_(connection) {}

    domain::CountedGuess countGuess(const domain::PasswordGuess& guess) override;
    void giveBackGuess(const std::vector<std::string>& counted, const std::string& failureBucket,
                       Timestamp countedAt) override;
    std::optional<domain::OutboxMessage> auditWrongPassword(const domain::WrongPassword& wrong) override;
    void upgradeHash(const Uuid& userId, std::string_view oldHash, std::string_view newHash) override;
    std::optional<domain::User> findByReset(const Uuid& otpId) override;
    domain::PasswordSetting resetPassword(const domain::PasswordReset& reset) override;
    domain::PasswordSetting changePassword(const domain::PasswordChange& change) override;
    domain::AddressChangeResult changeAddress(const domain::AddressChange& change) override;
    domain::AddressAssigned assignAddress(const domain::AddressAssignment& assignment) override;

    void keepRegistration(const Uuid& otpId, const domain::PendingRegistration& registration) override;
    domain::AccountCreation create(const domain::NewAccount& account) override;
    std::optional<domain::User> find(const Uuid& id) override;
    std::optional<domain::User> find(const domain::Destination& destination) override;
    std::vector<domain::User> list(const Uuid& after, unsigned limit) override;
    std::optional<domain::User> findNamed(std::string_view username) override;
    domain::ProfileUpdate updateProfile(const domain::ProfileChange& change) override;
    bool setStatus(const domain::StatusChange& change) override;
    bool setRole(const domain::RoleChange& change) override;

    std::vector<domain::ExportSection> exportOf(const Uuid& userId, std::span<const std::string> addresses) override;
    bool remove(const domain::UserDeletion& deletion) override;

    std::vector<std::string> passwordCosts() override;
    void notePasswordCosts(const std::vector<std::string>& costs) override;
    std::vector<std::pair<Uuid, std::string>> passwordHashes(const Uuid& after, unsigned limit) override;

    std::vector<domain::ImportResult> import(std::span<const domain::ImportedUser> users, Timestamp now) override;

private:
    void setAddress(const domain::AddressChange& change, domain::AddressChangeResult& result);
    void forgetOwner(const domain::User& user, Timestamp now);

    db::Connection& connection_;
};

}  // namespace otpgate::store
