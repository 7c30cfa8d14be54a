// A database whose transactions fail now and then after what they looked up and before they commit: by a deadlock,
// which is tried again, or as if the connection had gone.
#pragma once

#include "otpgate/db/connection.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace otpgate::test {

// Numbers that look random and are the same in each run of one thread.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed * 2654435761U + 88172645463325252U) {}
    std::uint64_t below(std::uint64_t end) {
        state_ ^= state_ << 13U;
        state_ ^= state_ >> 7U;
        state_ ^= state_ << 17U;
        return state_ % end;
    }

private:
    std::uint64_t state_;
};

class FaultyConnection final : public db::Connection {
public:
    FaultyConnection(std::unique_ptr<db::Connection> real, std::uint64_t seed) : real_(std::move(real)), dice_(seed) {}

    db::Engine engine() const override { return real_->engine(); }
    db::KnownContents& known() override { return real_->known(); }
    std::uint64_t execute(std::string_view sql, Params params) override { return real_->execute(sql, params); }
    std::vector<db::Row> query(std::string_view sql, Params params) override { return real_->query(sql, params); }
    std::vector<std::vector<db::Row>> lookUp(std::span<const db::KeyedLookUp> lookUps) override {
        auto found = real_->lookUp(lookUps);
        switch (dice_.below(60)) {
        case 0: throw db::DbError(db::ErrorKind::Deadlock, 1213, "as told");
        case 1: throw db::DbError(db::ErrorKind::Duplicate, 1062, "as told");
        case 2: throw db::DbError(db::ErrorKind::Gone, 2013, "as told");
        }
        return found;
    }
    void write(const db::RowStatement& statement, Params params) override {
        if (dice_.below(400) == 0) throw db::DbError(db::ErrorKind::Deadlock, 1213, "as told");
        real_->write(statement, params);
        if (dice_.below(400) == 0) throw db::DbError(db::ErrorKind::Gone, 2013, "as told");
    }
    void executeRaw(std::string_view statement) override { real_->executeRaw(statement); }

private:
    void runTransaction(const std::function<void()>& work, db::RetryOn retryOn) override {
        real_->transact(work, retryOn);
    }

    std::unique_ptr<db::Connection> real_;
    Dice dice_;
};

// Outlived by the real one.
class FaultyDatabase final : public db::Database {
public:
    explicit FaultyDatabase(db::Database& real) : real_(real) {}

    db::Engine engine() const override { return real_.engine(); }
    std::unique_ptr<db::Connection> connect() override {
        return std::make_unique<FaultyConnection>(real_.connect(), ++seed_);
    }
    std::unique_ptr<db::Connection> connectForGroups() override {
        return std::make_unique<FaultyConnection>(real_.connectForGroups(), ++seed_);
    }
    std::string describe() const override { return real_.describe(); }

private:
    db::Database& real_;
    std::atomic<std::uint64_t> seed_{0};
};

}  // namespace otpgate::test
