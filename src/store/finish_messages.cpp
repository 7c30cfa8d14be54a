// Messages that were sent, or discarded: the row of each is gone, and its end is in the audit trail.
#include "store/group_work.h"
#include "store/outbox_rows.h"

#include <set>

namespace otpgate::store {

namespace {

const auto kAuditEndFromRow = db::RowStatement::insertFrom("audit_events", {"id", "event", "metadata", "created_at_us"},
                                                           "outbox", "destination, request_id", "outbox.id");
const auto kRemoveMessage = db::RowStatement::remove("outbox", "id");

// A row that is gone was finished before, by a commit whose answer was lost or by another process: it has its audit
// event. So nothing needs to be known, and nothing decided.
class Finishes final : public GroupWork {
public:
    explicit Finishes(std::vector<const DeliveredMessages*> calls) : calls_(std::move(calls)) {}

    std::vector<db::KeyedLookUp> lookUps() override { return {}; }
    std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> /*found*/) override {
        return std::vector<GroupAnswer>(calls_.size(), std::monostate{});
    }
    void write(db::Connection& connection) override {
        // Two of one group may have sent the same message.
        std::set<Uuid> told;
        for (const DeliveredMessages* call : calls_) {
            for (const domain::FinishedMessage& finished : call->messages) {
                if (!told.insert(finished.message.id).second) continue;
                connection.write(kAuditEndFromRow, {finished.auditId, domain::toString(domain::eventOf(finished)),
                                                    metadataOf(finished, call->now), call->now, finished.message.id});
            }
        }
        for (const DeliveredMessages* call : calls_) {
            for (const domain::FinishedMessage& finished : call->messages) {
                connection.write(kRemoveMessage, {finished.message.id});
            }
        }
    }

private:
    std::vector<const DeliveredMessages*> calls_;
};

}  // namespace

std::unique_ptr<GroupWork> makeWork(std::vector<const DeliveredMessages*> delivered) {
    return std::make_unique<Finishes>(std::move(delivered));
}

}  // namespace otpgate::store
