// The counts by hour and by day, and the trail that they are made of.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/statistics.h"

namespace otpgate::store {

class StatisticsTables final : public domain::StatisticsStore {
public:
    explicit StatisticsTables(db::Connection& connection) : connection_(connection) {}
    std::optional<domain::CountedHour> lastCounted() override;
    std::optional<Timestamp> oldestEvent() override;
    domain::CountedPart count(const Uuid& from, const Uuid& end, unsigned most) override;
    void keep(domain::CountedHour hour, const domain::EventCounts& events) override;
    std::vector<domain::CountedPeriod> list(domain::CountedBy unit, const TimeSpan& span) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
