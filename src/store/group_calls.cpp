#include "store/group_calls.h"

#include "store/group_work.h"

#include <iterator>
#include <memory>

namespace otpgate::store {

namespace {

// The calls of one kind, and where they stand among all.
struct Part {
    std::unique_ptr<GroupWork> work;
    std::vector<std::size_t> places;
    std::size_t firstLookUp = 0;
    std::size_t lookUps = 0;
};

template <typename Call>
void addPart(std::vector<Part>& parts, std::span<const GroupCall> calls) {
    std::vector<const Call*> ofThisKind;
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < calls.size(); ++place) {
        if (const auto* call = std::get_if<const Call*>(&calls[place])) {
            ofThisKind.push_back(*call);
            places.push_back(place);
        }
    }
    if (!places.empty()) parts.push_back({makeWork(std::move(ofThisKind)), std::move(places)});
}

}  // namespace

std::vector<GroupAnswer> makeCalls(db::Connection& connection, std::span<const GroupCall> calls) {
    // In the order of the locks. No two kinds share a bucket.
    std::vector<Part> parts;
    addPart<domain::NewOtpRequest>(parts, calls);
    addPart<domain::OtpVerification>(parts, calls);
    addPart<domain::SessionRefresh>(parts, calls);
    addPart<DeliveredMessages>(parts, calls);
    addPart<NewGrant>(parts, calls);

    std::vector<db::KeyedLookUp> lookUps;
    for (Part& part : parts) {
        part.firstLookUp = lookUps.size();
        std::ranges::move(part.work->lookUps(), std::back_inserter(lookUps));
        part.lookUps = lookUps.size() - part.firstLookUp;
    }
    const auto found = connection.lookUp(lookUps);
    std::vector<GroupAnswer> answers(calls.size());
    for (const Part& part : parts) {
        auto ofThisKind = part.work->decide(std::span(found).subspan(part.firstLookUp, part.lookUps));
        for (std::size_t i = 0; i < part.places.size(); ++i) answers[part.places[i]] = std::move(ofThisKind.at(i));
    }
    for (const Part& part : parts) part.work->write(connection);
    return answers;
}

std::vector<GroupAnswer> transact(db::Connection& connection, std::span<const GroupCall> calls) {
    return connection.transact([&] { return makeCalls(connection, calls); }, db::RetryOn::DeadlockOrDuplicate);
}

}  // namespace otpgate::store
