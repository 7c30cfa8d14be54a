// Requests for codes: accounts, known devices and limits are looked up together, domain/otp_rules.h decides over one
// request after the other, and what it decided is written together.
#include "otpgate/domain/otp_rules.h"
#include "store/audit_events.h"
#include "store/group_work.h"
#include "store/outbox_rows.h"
#include "store/rate_limits.h"
#include "store/users.h"
#include "store/words.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

namespace otpgate::store {

using domain::AuditEvent;
using domain::Channel;
using domain::NewOtpRequest;
using domain::OtpRequestResult;
using RequestOutcome = OtpRequestResult::Outcome;

namespace {

const db::LookUp kOwnerByEmail("SELECT u.email, u.id, u.status, u.locale, u.role, u.group_names FROM users u WHERE",
                               "u.email = ?", db::Locking::None);
const db::LookUp kOwnerByPhone(
    "SELECT u.phone_number, u.id, u.status, u.locale, u.role, u.group_names FROM users u WHERE", "u.phone_number = ?",
    db::Locking::None);
const db::LookUp kDevice("SELECT d.id, d.user_id FROM devices d WHERE d.revoked_at_us IS NULL AND", "d.id = ?",
                         db::Locking::None);
const db::LookUp kLiveCode(
    "SELECT o.destination, o.purpose, o.lane, o.amr, o.id, o.expires_at_us"
    " FROM otp_requests o /*! FORCE INDEX (otp_requests_destination) */"
    " WHERE o.consumed_at_us IS NULL AND o.attempts < o.max_attempts AND o.registration IS NULL AND",
    "o.destination = ? AND o.purpose = ? AND o.lane = ? AND o.id >= ? AND o.expires_at_us > ?", db::Locking::None);

// By the index of a destination's codes, whatever the optimizer thinks of a small table: it would lock the rows of
// others.
const auto kVoid = db::RowStatement::plain(
    "UPDATE otp_requests /*! FORCE INDEX (otp_requests_destination) */ SET expires_at_us = ?"
    " WHERE destination = ? AND purpose = ? AND lane = ? AND id >= ? AND consumed_at_us IS NULL AND expires_at_us > ?");
const auto kInsertCode =
    db::RowStatement::insert("otp_requests", {"id", "destination", "channel", "purpose", "lane", "amr", "guess_bucket",
                                              "created_at_us", "expires_at_us", "max_attempts"});
// The form follows when its password is hashed: see AccountStore::keepRegistration().
const auto kInsertForForm =
    db::RowStatement::insert("otp_requests", {"id", "destination", "channel", "purpose", "lane", "amr", "guess_bucket",
                                              "created_at_us", "expires_at_us", "max_attempts", "registration"});

class Requests final : public GroupWork {
public:
    explicit Requests(std::vector<const NewOtpRequest*> requests) : requests_(std::move(requests)) {}

    std::vector<db::KeyedLookUp> lookUps() override;
    std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> found) override;
    void write(db::Connection& connection) override;

private:
    // Whose codes void or repeat each other.
    using CodeKey = std::tuple<std::string_view, domain::Purpose, Uuid>;
    struct LiveCode {
        Uuid id;
        std::string methods;
        Timestamp expiresAt;
        bool isRepeatable = true;
    };
    struct NewCode {
        const NewOtpRequest* request;
        domain::OtpLane lane;
        domain::Purpose purpose;
        Timestamp expiresAt;  // another request of the group may have voided it
        bool voidsOlder = false;
    };
    struct Event {
        const NewOtpRequest* request;
        AuditEvent event;
        std::optional<Uuid> userId;
    };

    void read(std::span<const std::vector<db::Row>> found);
    void readLiveCodes(const std::vector<db::Row>& rows);
    OtpRequestResult answer(const NewOtpRequest& request);
    LiveCode codeFor(const NewOtpRequest& request, domain::Purpose purpose, const domain::OtpLane& lane,
                     bool mayHaveLiveCode);
    bool isKnownDevice(const NewOtpRequest& request, const std::optional<domain::AddressOwner>& owner) const;

    std::vector<const NewOtpRequest*> requests_;
    // What is looked up, and the limits.
    std::set<Uuid> shownDevices_;
    std::deque<Uuid> lanes_;  // and the oldest ids of live codes
    Buckets buckets_;

    std::deque<Uuid> bounds_;                                          // of live codes, and their lanes
    std::map<std::string, domain::AddressOwner, std::less<>> owners_;  // by address
    std::map<Uuid, Uuid> devices_;                                     // their users
    std::map<CodeKey, LiveCode> liveCodes_;  // those of the database only where they may be repeated
    std::map<CodeKey, NewCode*> newest_;
    std::deque<NewCode> newCodes_;
    std::vector<domain::OutboxMessage> messages_;
    std::vector<Event> events_;
};

std::vector<db::KeyedLookUp> Requests::lookUps() {
    std::set<std::string_view> emails;
    std::set<std::string_view> numbers;
    db::KeyedLookUp liveCodes{kLiveCode, {}};
    for (const NewOtpRequest* request : requests_) {
        const domain::Destination& to = request->destination;
        (to.channel() == Channel::Email ? emails : numbers).insert(to.value());
        if (!request->clientRule.isUnlimited()) buckets_.want(request->clientBucket);
        buckets_.want(request->destinationBucket);
        if (request->ownerId) buckets_.want(request->accountBucket);
        if (!request->workBucket.empty()) buckets_.want(request->workBucket);
        if (request->device) {
            shownDevices_.insert(*request->device);
            buckets_.want(request->deviceBucket);
        }
        if (request->resend != domain::Resend::Repeat) continue;
        const Uuid& oldestLive = lanes_.emplace_back(Uuid::lowestV7(request->oldestLive));
        for (const bool isKnown : {false, true}) {
            if (isKnown && !request->device) continue;
            const Uuid& lane = lanes_.emplace_back(domain::laneOf(*request, isKnown).id);
            liveCodes.values.insert(liveCodes.values.end(),
                                    {to.value(), domain::toString(request->purpose), lane, oldestLive, request->now});
        }
    }
    return {buckets_.lookUp(),
            {kOwnerByEmail, {emails.begin(), emails.end()}},
            {kOwnerByPhone, {numbers.begin(), numbers.end()}},
            {kDevice, {shownDevices_.begin(), shownDevices_.end()}},
            std::move(liveCodes)};
}

std::vector<GroupAnswer> Requests::decide(std::span<const std::vector<db::Row>> found) {
    read(found);
    std::vector<GroupAnswer> answers;
    answers.reserve(requests_.size());
    for (const NewOtpRequest* request : requests_) answers.emplace_back(answer(*request));
    return answers;
}

void Requests::read(std::span<const std::vector<db::Row>> found) {
    buckets_.read(found[0]);
    for (const auto* rows : {&found[1], &found[2]}) {
        for (const db::Row& row : *rows) {
            owners_.try_emplace(row.text(0),
                                domain::AddressOwner{row.uuid(1), parseUserStatus(row.text(2)), row.text(3),
                                                     parseRole(row.text(4)), readGroupNames(row.text(5))});
        }
    }
    for (const db::Row& row : found[3]) devices_.emplace(row.uuid(0), row.uuid(1));
    readLiveCodes(found[4]);
}

void Requests::readLiveCodes(const std::vector<db::Row>& rows) {
    for (const db::Row& row : rows) {
        const auto asked = std::ranges::find_if(
            requests_, [&](const NewOtpRequest* request) { return request->destination.value() == row.text(0); });
        const CodeKey key{(*asked)->destination.value(), parsePurpose(row.text(1)), row.uuid(2)};
        const LiveCode code{row.uuid(4), row.text(3), row.timestamp(5)};
        const auto [known, isFirst] = liveCodes_.try_emplace(key, code);
        if (!isFirst && known->second.id < code.id) known->second = code;
    }
}

bool Requests::isKnownDevice(const NewOtpRequest& request, const std::optional<domain::AddressOwner>& owner) const {
    if (!request.device || !owner) return false;
    const auto device = devices_.find(*request.device);
    return device != devices_.end() && device->second == owner->id;
}

OtpRequestResult Requests::answer(const NewOtpRequest& request) {
    std::optional<domain::AddressOwner> owner;
    if (const auto found = owners_.find(request.destination.value()); found != owners_.end()) owner = found->second;
    const domain::OtpLane lane = domain::laneOf(request, isKnownDevice(request, owner));
    domain::Bucket& bucket = buckets_.at(lane.bucket);
    const bool countsForClient = lane.countsForClient && !request.clientRule.isUnlimited();
    const bool mayHaveLiveCode = domain::mayHaveLiveCode(request, bucket);

    domain::OtpRequestRuling ruling =
        domain::ruleOnRequest(request, owner,
                              {.destination = bucket,
                               .client = countsForClient ? &buckets_.at(request.clientBucket) : nullptr,
                               .account = request.ownerId ? &buckets_.at(request.accountBucket) : nullptr,
                               .work = request.workBucket.empty() ? nullptr : &buckets_.at(request.workBucket),
                               .isStrangers = lane.countsForClient});
    OtpRequestResult result{ruling.outcome, std::move(ruling.hits), {}, {}, ruling.isDiscarded};
    if (ruling.outcome != RequestOutcome::Accepted) {
        if (ruling.isToBeAudited) events_.push_back({&request, AuditEvent::OtpRateLimited, std::nullopt});
        return result;
    }
    result.means = domain::meansOf(request.linkUse, request.purpose, request.destination.channel(), bucket.failures());
    result.purpose = result.means == domain::Means::Link ? domain::Purpose::Login : request.purpose;
    const LiveCode code = codeFor(request, result.purpose, lane, mayHaveLiveCode);
    result.otpId = code.id;
    result.expiresAt = code.expiresAt;
    result.languages = domain::joinLanguages(request.locale, owner ? owner->locale : "", request.client.languages);
    messages_.push_back({.id = request.outboxId,
                         .kind = domain::kindOf(result.means),
                         .otpId = code.id,
                         .purpose = result.purpose,
                         .destination = request.destination,
                         .locale = result.languages,
                         .requestId = request.client.requestId,
                         .isDiscarded = ruling.isDiscarded,
                         .createdAt = request.now,
                         .expiresAt = code.expiresAt,
                         .availableAt = request.outboxAvailableAt});
    std::optional<Uuid> userId = request.ownerId;
    if (!userId && owner) userId = owner->id;
    events_.push_back({&request, AuditEvent::OtpRequested, userId});
    return result;
}

Requests::LiveCode Requests::codeFor(const NewOtpRequest& request, domain::Purpose purpose, const domain::OtpLane& lane,
                                     bool mayHaveLiveCode) {
    const CodeKey key{request.destination.value(), purpose, lane.id};
    const auto live = liveCodes_.find(key);
    if (request.resend == domain::Resend::Repeat && live != liveCodes_.end() && live->second.isRepeatable &&
        live->second.methods == request.methods && live->second.expiresAt > request.now) {
        return live->second;
    }
    if (const auto older = newest_.find(key); older != newest_.end()) older->second->expiresAt = request.now;
    NewCode& code = newCodes_.emplace_back(NewCode{&request, lane, purpose, request.expiresAt, mayHaveLiveCode});
    newest_[key] = &code;
    return liveCodes_[key] = {request.id, std::string{request.methods}, request.expiresAt, !request.isRegistration};
}

void Requests::write(db::Connection& connection) {
    buckets_.write(connection);
    for (const NewCode& code : newCodes_) {
        if (!code.voidsOlder) continue;
        const NewOtpRequest& request = *code.request;
        const Uuid oldestLive = Uuid::lowestV7(request.oldestLive);
        connection.write(kVoid, {request.now, request.destination.value(), domain::toString(code.purpose), code.lane.id,
                                 oldestLive, request.now});
    }
    for (const NewCode& code : newCodes_) {
        const NewOtpRequest& request = *code.request;
        if (request.isRegistration) {
            connection.write(
                kInsertForForm,
                {request.id, request.destination.value(), domain::toString(request.destination.channel()),
                 domain::toString(code.purpose), code.lane.id, request.methods, db::Param::blob(code.lane.guessBucket),
                 request.now, code.expiresAt, request.maxAttempts, db::Param::blob("")});
            continue;
        }
        connection.write(kInsertCode,
                         {request.id, request.destination.value(), domain::toString(request.destination.channel()),
                          domain::toString(code.purpose), code.lane.id, request.methods,
                          db::Param::blob(code.lane.guessBucket), request.now, code.expiresAt, request.maxAttempts});
    }
    for (const domain::OutboxMessage& message : messages_) insertMessage(connection, message);
    for (const Event& event : events_) {
        insertAuditEvent(connection, {event.request->auditId, event.event, event.userId,
                                      event.request->destination.value(), event.request->client, event.request->now});
    }
}

}  // namespace

std::unique_ptr<GroupWork> makeWork(std::vector<const NewOtpRequest*> requests) {
    return std::make_unique<Requests>(std::move(requests));
}

}  // namespace otpgate::store
