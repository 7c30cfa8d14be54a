// Guesses at codes: each code, its guess budget and the user whose address it proves are looked up together,
// domain/otp_rules.h decides over one guess after the other, and what it decided is written together.
#include "otpgate/domain/otp_rules.h"
#include "otpgate/domain/username.h"
#include "store/audit_events.h"
#include "store/group_work.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"
#include "store/users.h"
#include "store/words.h"

#include <map>
#include <set>

namespace otpgate::store {

using domain::OtpVerification;
using domain::OtpVerifyResult;
using domain::StoredOtp;
using domain::User;

namespace {

constexpr std::size_t kOtpColumnCount = 12;

// A group does not wait where somebody holds one of these for long (an import, somebody at a console): it fails, and
// each waits for its own rows, by a transaction of its own. An e-mail address is never a telephone number.
const db::LookUp kOtp(
    "SELECT o.id, o.destination, o.channel, o.purpose, o.lane, o.amr, o.guess_bucket, o.attempts,"
    " o.max_attempts, o.consumed_at_us, o.expires_at_us, o.registration, " +
        std::string{kBucketColumns} + ", " + std::string{kUserColumns} +
        " FROM otp_requests o /*! FORCE INDEX (PRIMARY) */"
        " LEFT JOIN rate_limits b ON b.bucket = o.guess_bucket"
        " LEFT JOIN users e ON e.email = o.destination"
        " LEFT JOIN users p ON p.phone_number = o.destination"
        " LEFT JOIN users u ON u.id = COALESCE(e.id, p.id) WHERE",
    "o.id = ?", db::Locking::Fail);
const db::LookUp kDeviceById("SELECT d.id, d.user_id, d.install_id FROM devices d WHERE d.revoked_at_us IS NULL AND",
                             "d.id = ?", db::Locking::None);
const db::LookUp kDeviceByInstallation(
    "SELECT d.id, d.user_id, d.install_id FROM otp_requests o"
    " LEFT JOIN users e ON e.email = o.destination LEFT JOIN users p ON p.phone_number = o.destination"
    " JOIN devices d ON d.user_id = COALESCE(e.id, p.id) WHERE d.revoked_at_us IS NULL AND",
    "o.id = ? AND d.install_id = ?", db::Locking::None);

const auto kUpdateOtp = db::RowStatement::update("otp_requests", {"attempts", "consumed_at_us"}, "id");
const auto kUpdateUser =
    db::RowStatement::update("users", {"email_verified", "phone_verified", "last_login_at_us", "time_zone"}, "id");
const auto kInsertUser =
    db::RowStatement::insert("users", {"id", "username", "email", "phone_number", "email_verified", "phone_verified",
                                       "locale", "joined_at_us", "last_login_at_us", "time_zone"});
const auto kInsertRegistered = db::RowStatement::insert(
    "users", {"id", "username", "email", "phone_number", "email_verified", "phone_verified", "first_name", "last_name",
              "locale", "joined_at_us", "last_login_at_us", "password_hash", "password_changed_at_us"});
const auto kUpdateDevice =
    db::RowStatement::update("devices", {"last_seen_at_us", "platform", "app_version", "device_name"}, "id");
const auto kInsertDevice = db::RowStatement::insert(
    "devices",
    {"id", "user_id", "install_id", "platform", "app_version", "device_name", "created_at_us", "last_seen_at_us"});
const auto kInsertSession =
    db::RowStatement::insert("sessions", {"id", "user_id", "device_id", "amr", "created_at_us", "last_seen_at_us",
                                          "expires_at_us", "authenticated_at_us", "ip_address", "user_agent",
                                          "install_id", "platform", "app_version", "device_name"});

const auto kNoteFailures =
    db::RowStatement::plain("UPDATE rate_limits SET failures = ?, expires_at_us = ? WHERE bucket = ?");

// What comes and goes in one transaction.
const auto kInsertPassing =
    db::RowStatement::insert("rate_limits", {"bucket", "hits", "expires_at_us", "refused_at_us"});
const auto kRemovePassing = db::RowStatement::remove("rate_limits", "bucket");

StoredOtp readOtp(const db::Row& row) {
    return {.id = row.uuid(0),
            .destination = domain::Destination::fromStored(parseChannel(row.text(2)), row.text(1)),
            .purpose = parsePurpose(row.text(3)),
            .lane = row.uuid(4),
            .methods = row.text(5),
            .guessBucket = row.text(6),
            .tries = {static_cast<unsigned>(row.integer(7)), static_cast<unsigned>(row.integer(8)),
                      row.optionalTimestamp(9)},
            .expiresAt = row.timestamp(10),
            .registration = row.optionalText(11)};
}

class Guesses final : public GroupWork {
public:
    explicit Guesses(std::vector<const OtpVerification*> guesses) : guesses_(std::move(guesses)) {}

    std::vector<db::KeyedLookUp> lookUps() override;
    std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> found) override;
    void write(db::Connection& connection) override;

private:
    struct Otp {
        StoredOtp now;
        unsigned triesBefore = 0;
    };
    // The owner of an address, if there is one.
    struct Owner {
        std::optional<User> before;
        std::optional<User> now;
        // Of one that a form made.
        bool isByForm = false;
        std::optional<std::string> passwordHash;
    };
    struct Event {
        const OtpVerification* guess;
        domain::AuditDraft draft;
        std::string destination;
        std::optional<Uuid> sessionId;  // of a sign-in
    };
    struct SignIn {
        const OtpVerification* guess;
        Uuid userId;
        Uuid deviceId;
        std::string methods;
    };

    void read(std::span<const std::vector<db::Row>> found);
    OtpVerifyResult answer(const OtpVerification& guess);
    void writePassing(db::Connection& connection) const;
    void writeUsers(db::Connection& connection) const;
    void writeDevices(db::Connection& connection) const;

    std::vector<const OtpVerification*> guesses_;
    // What is looked up.
    std::set<Uuid> ids_;
    std::set<Uuid> shownDevices_;
    std::set<std::pair<Uuid, std::string_view>> installations_;

    Buckets buckets_;
    std::map<Uuid, Otp> otps_;
    std::map<Uuid, Owner> owners_;            // by id
    std::map<std::string, Owner> newOwners_;  // of addresses that have none, by address
    std::map<std::string, Uuid> ownerIds_;    // by address
    std::vector<domain::StoredDevice> devices_;
    std::vector<SignIn> signIns_;
    std::vector<domain::OutboxMessage> notices_;
    std::vector<Event> events_;
    std::vector<const OtpVerification*> uncounted_;
    std::map<std::string, std::pair<unsigned, Timestamp>>
        failures_;  // by the lane's bucket of requests; and until when
};

std::vector<db::KeyedLookUp> Guesses::lookUps() {
    for (const OtpVerification* guess : guesses_) {
        ids_.insert(guess->otpId);
        if (guess->shownDevice) shownDevices_.insert(*guess->shownDevice);
        if (!guess->device.installId.empty()) installations_.emplace(guess->otpId, guess->device.installId);
    }
    db::KeyedLookUp byInstallation{kDeviceByInstallation, {}};
    for (const auto& [id, name] : installations_) byInstallation.values.insert(byInstallation.values.end(), {id, name});
    return {{kOtp, {ids_.begin(), ids_.end()}},
            {kDeviceById, {shownDevices_.begin(), shownDevices_.end()}},
            std::move(byInstallation)};
}

std::vector<GroupAnswer> Guesses::decide(std::span<const std::vector<db::Row>> found) {
    read(found);
    std::vector<GroupAnswer> answers;
    answers.reserve(guesses_.size());
    for (const OtpVerification* guess : guesses_) {
        OtpVerifyResult result = answer(*guess);
        const bool isHidden = guess->namedBy == domain::CodeNamedBy::Address && guess->guess == domain::Guess::Wrong;
        if (isHidden && result.outcome != OtpVerifyResult::Outcome::WrongCode) uncounted_.push_back(guess);
        answers.emplace_back(std::move(result));
    }
    return answers;
}

void Guesses::read(std::span<const std::vector<db::Row>> found) {
    constexpr std::size_t kUser = kOtpColumnCount + kBucketColumnCount;
    for (const db::Row& row : found[0]) {
        StoredOtp otp = readOtp(row);
        buckets_.add(otp.guessBucket, row, kOtpColumnCount);
        if (!row.isNull(kUser)) {
            User user = readUser(row, kUser);
            ownerIds_.emplace(otp.destination.value(), user.id);
            owners_.try_emplace(user.id, Owner{user, user, false, std::nullopt});
        }
        const Uuid id = otp.id;
        const unsigned tries = otp.tries.count;
        otps_.emplace(id, Otp{std::move(otp), tries});
    }
    for (const auto* rows : {&found[1], &found[2]}) {
        for (const db::Row& row : *rows) devices_.push_back({row.uuid(0), row.uuid(1), row.text(2)});
    }
}

OtpVerifyResult Guesses::answer(const OtpVerification& guess) {
    const auto found = otps_.find(guess.otpId);
    if (found == otps_.end()) return {};
    StoredOtp& otp = found->second.now;
    const std::string& address = otp.destination.value();
    const auto id = ownerIds_.find(address);
    Owner& owner = id != ownerIds_.end() ? owners_.at(id->second) : newOwners_[address];
    std::optional<User>& user = owner.now;

    domain::GuessRuling ruling = domain::ruleOnGuess(guess, {&otp, &buckets_.at(otp.guessBucket), user, devices_});
    for (const domain::AuditDraft& draft : ruling.events) {
        const bool isSignIn = draft.event == domain::AuditEvent::LoginSucceeded;
        events_.push_back({&guess, draft, address, isSignIn ? std::optional{guess.sessionId} : std::nullopt});
    }
    if (!owner.before && user && otp.purpose == domain::Purpose::Verify) owner.isByForm = true;
    if (ruling.passwordHash) owner.passwordHash = std::move(ruling.passwordHash);
    if (const auto& lane = ruling.failures) {
        failures_[lane->requestBucket] = {lane->failures, guess.now + domain::Bucket::kFailureMemory};
    }
    OtpVerifyResult& result = ruling.result;
    if (result.signIn && !result.isSignInRepeated) {
        const domain::SignIn& signIn = *result.signIn;
        signIns_.push_back({&guess, signIn.user.id, signIn.deviceId, signIn.methods});
        // Another guess of the group may come from the same one.
        if (signIn.deviceId == guess.newDeviceId) {
            devices_.push_back({guess.newDeviceId, signIn.user.id, guess.device.installId});
        }
    }
    if (result.notice) notices_.push_back(*result.notice);
    return std::move(result);
}

void Guesses::write(db::Connection& connection) {
    buckets_.write(connection);
    for (const auto& [id, otp] : otps_) {
        const domain::Tries& tries = otp.now.tries;
        if (tries.count != otp.triesBefore) connection.write(kUpdateOtp, {tries.count, tries.consumedAt, id});
    }
    writeUsers(connection);
    writeDevices(connection);
    for (const SignIn& signIn : signIns_) {
        const OtpVerification& guess = *signIn.guess;
        const domain::Device& device = guess.device;
        connection.write(kInsertSession,
                         {guess.sessionId, signIn.userId, signIn.deviceId, signIn.methods, guess.now, guess.now,
                          guess.sessionExpiresAt, guess.now, guess.client.address, guess.client.userAgent,
                          device.installId, device.platform, device.appVersion, device.name});
    }
    for (const domain::OutboxMessage& notice : notices_) insertMessage(connection, notice);
    for (const Event& event : events_) {
        insertAuditEvent(connection, {event.draft.id, event.draft.event, event.draft.userId, event.destination,
                                      event.guess->client, event.guess->now, std::nullopt, event.sessionId});
    }
    writePassing(connection);
    for (const auto& [bucket, noted] : failures_)
        connection.write(kNoteFailures, {noted.first, noted.second, db::Param::blob(bucket)});
}

// A wrong guess at a code that lives is counted, and waits for the disk. One that names an address and finds no such
// code waits as long, by a row that leaves nothing behind: else the time would tell that somebody is about to sign in.
void Guesses::writePassing(db::Connection& connection) const {
    for (const OtpVerification* guess : uncounted_) {
        connection.write(kInsertPassing, {db::Param::blob(guess->auditIds.front().bytes()), db::Param::blob(""),
                                          guess->now, guess->now});
    }
    for (const OtpVerification* guess : uncounted_)
        connection.write(kRemovePassing, {db::Param::blob(guess->auditIds.front().bytes())});
}

void Guesses::writeUsers(db::Connection& connection) const {
    for (const auto& [id, owner] : owners_) {
        const User& before = *owner.before;
        const User& now = *owner.now;
        if (before.emailVerified == now.emailVerified && before.phoneVerified == now.phoneVerified &&
            before.lastLoginAt == now.lastLoginAt)
            continue;
        connection.write(kUpdateUser,
                         {now.emailVerified ? 1 : 0, now.phoneVerified ? 1 : 0, now.lastLoginAt, now.timeZone, id});
    }
    for (const auto& [address, owner] : newOwners_) {
        if (!owner.now) continue;
        const User& user = *owner.now;
        if (owner.isByForm) {
            std::optional<Timestamp> changedAt;
            if (owner.passwordHash) changedAt = user.joinedAt;
            connection.write(kInsertRegistered,
                             {user.id, domain::shownUsername(user), user.email, user.phoneNumber,
                              user.emailVerified ? 1 : 0, user.phoneVerified ? 1 : 0, user.firstName, user.lastName,
                              user.locale, user.joinedAt, user.lastLoginAt, owner.passwordHash, changedAt});
            continue;
        }
        connection.write(kInsertUser, {user.id, domain::shownUsername(user), user.email, user.phoneNumber,
                                       user.emailVerified ? 1 : 0, user.phoneVerified ? 1 : 0, user.locale,
                                       user.joinedAt, user.lastLoginAt, user.timeZone});
    }
}

void Guesses::writeDevices(db::Connection& connection) const {
    std::map<Uuid, const OtpVerification*> known;  // the last guess by each
    for (const SignIn& signIn : signIns_) {
        const OtpVerification& guess = *signIn.guess;
        const domain::Device& device = guess.device;
        if (signIn.deviceId != guess.newDeviceId) {
            known[signIn.deviceId] = &guess;
        } else {
            connection.write(kInsertDevice, {guess.newDeviceId, signIn.userId, device.installId, device.platform,
                                             device.appVersion, device.name, guess.now, guess.now});
        }
    }
    for (const auto& [id, guess] : known) {
        const domain::Device& device = guess->device;
        connection.write(kUpdateDevice, {guess->now, device.platform, device.appVersion, device.name, id});
    }
}

}  // namespace

std::unique_ptr<GroupWork> makeWork(std::vector<const OtpVerification*> guesses) {
    return std::make_unique<Guesses>(std::move(guesses));
}

}  // namespace otpgate::store
