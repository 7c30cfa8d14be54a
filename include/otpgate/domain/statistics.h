// How often what happened, by hour and by day of UTC. Counted from the audit trail by the housekeeper: for good after
// each hour, and what of an hour that is not over is settled in memory, so that a question pays for the last minutes
// alone.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

using CountedHour = std::chrono::sys_time<std::chrono::hours>;
using EventCounts = std::map<std::string, std::int64_t>;  // by the event's name, as the trail has it

// How long a code waited until it was sent, by classes that are counted beside the events: "OTP_SENT_5S" are those of
// at most five seconds and more than the class before, "OTP_SENT_LATE" what no class holds.
std::string delayClassOf(std::chrono::milliseconds delay);

enum class CountedBy { Hour, Day };
std::string_view toString(CountedBy unit);  // "hour", "day"
std::optional<CountedBy> parseCountedBy(std::string_view text);

struct CountedPeriod {
    Timestamp begin;
    EventCounts events;  // those that happened
};

// Part of an hour's events, and where the next part begins; nullopt: that was the last.
struct CountedPart {
    EventCounts events;
    std::optional<Uuid> next;
};

// What the counting needs of the tables hourly_counts, daily_counts and audit_events. Each function is one atomic step;
// throws ServiceUnavailable when the database does not answer.
class StatisticsStore {
public:
    virtual ~StatisticsStore() = default;
    virtual std::optional<CountedHour> lastCounted() = 0;
    virtual std::optional<Timestamp> oldestEvent() = 0;
    // Of the events from the id on and before `end`, at most `most`.
    virtual CountedPart count(const Uuid& from, const Uuid& end, unsigned most) = 0;
    // Takes the place of what was kept of the hour, and makes its day anew.
    virtual void keep(CountedHour hour, const EventCounts& events) = 0;
    // The periods that begin in the span and have events, the oldest first.
    virtual std::vector<CountedPeriod> list(CountedBy unit, const TimeSpan& span) = 0;
};

// The hour to be counted next: the one after the last, or else that of the first event. nullopt: it is not over, or its
// last events may not be written yet.
std::optional<CountedHour> hourToCount(const std::optional<CountedHour>& last,
                                       const std::optional<Timestamp>& oldestEvent, Timestamp now);

// The hours that are not counted for good yet: the one that runs, and for some minutes the one before it. What may no
// longer change is counted once, by the housekeeper, and kept here; the rest whenever somebody asks. One object a
// process, asked by all its threads.
class UnfinishedHours {
public:
    // A part of what has become settled; false: all of it is counted. One thread alone.
    bool countOn(StatisticsStore& store, Timestamp now);
    // The hours that have events, the oldest first, and up to when they were counted: up to now, unless very much has
    // happened since countOn() came here last.
    struct Counted {
        std::vector<CountedPeriod> hours;
        Timestamp since;
        Timestamp until;
    };
    Counted list(StatisticsStore& store, Timestamp now) const;

private:
    struct Count {
        std::map<CountedHour, EventCounts> hours;
        CountedHour first;  // that is not counted for good
        CountedHour hour;   // that is counted on
        Uuid next;          // from where
    };
    // A part that does not go beyond its hour. False: it has come to the end.
    static bool countPart(StatisticsStore& store, Count& count, Timestamp end, unsigned most);
    // As it stands, without the hours that are counted for good by now.
    Count begun(StatisticsStore& store, Timestamp now) const;

    mutable std::mutex mutex_;
    Count count_;
};

// The span that is asked for, in whole periods: of the last two days by hour or the last 30 by day unless it is said.
// nullopt: it is empty, or of more than kMostPeriods.
inline constexpr int kMostPeriods = 1'000;
std::optional<TimeSpan> statisticsSpan(CountedBy unit, const std::optional<Timestamp>& since,
                                       const std::optional<Timestamp>& before, Timestamp now);

// One object a thread.
class Statistics {
public:
    Statistics(StatisticsStore& store, UnfinishedHours& unfinished, const Clock& clock)
        : store_(store),
          unfinished_(unfinished),
          clock_(clock) {}

    // A part of the counting; false: there is nothing to count now. An hour is kept when all of it is counted, so one
    // that was interrupted is begun anew, and several processes that count the same one agree.
    bool countOn();
    // The same of the hours that are not over.
    bool countUnfinishedOn() { return unfinished_.countOn(store_, clock_.now()); }
    // Up to when everything is counted for good.
    std::optional<Timestamp> countedUntil();
    // With what the hours that are not over have brought so far.
    struct Listed {
        std::vector<CountedPeriod> periods;
        std::optional<Timestamp> countedUntil;
        Timestamp until;  // the end of what is counted at all
    };
    Listed list(CountedBy unit, const TimeSpan& span);

private:
    struct Begun {
        CountedHour hour;
        Uuid next;
        EventCounts events;
    };

    StatisticsStore& store_;
    UnfinishedHours& unfinished_;
    const Clock& clock_;
    std::optional<Begun> begun_;
};

}  // namespace otpgate::domain
