// What the suites of the SessionStore share: a user with a session.
#pragma once

#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {

template <class Suite, class Engine>
class SessionStoreTest : public StoreTest<Suite, Engine> {
    using Base = StoreTest<Suite, Engine>;

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeSessionStore(*connection_);
        user_ = addUser("ada@example.org");
        session_ = addSession(user_);
    }

protected:
    using Base::connection_;
    using Base::now;
    static constexpr std::chrono::hours kLifetime{168};

    Uuid addUser(const std::string& email) {
        const Uuid id = Base::newId();
        connection_->execute(
            "INSERT INTO users (id, username, email, email_verified, joined_at_us, last_login_at_us)"
            " VALUES (?, ?, ?, 1, ?, ?)",
            {id, email, email, now(), now()});
        return id;
    }
    Uuid addSession(const Uuid& user) {
        const Uuid id = Base::newId();
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us,"
            " authenticated_at_us, ip_address, user_agent, install_id, platform, app_version, device_name)"
            " VALUES (?, ?, ?, ?, ?, ?, '192.0.2.7', 'Browser/1.0', 'install-1', 'ios', '4.2', ?)",
            {id, user, now(), now(), now() + kLifetime, now(), keys(25)});
        return id;
    }
    Uuid addDevice(const Uuid& user) {
        const Uuid id = Base::newId();
        connection_->execute("INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?)",
                             {id, user, now(), now()});
        return id;
    }
    Uuid addSession(const Uuid& user, const Uuid& device) {
        const Uuid id = addSession(user);
        connection_->execute("UPDATE sessions SET device_id = ?, amr = 'pwd otp' WHERE id = ?", {device, id});
        return id;
    }
    bool revoke(const Uuid& session, const Uuid& user, domain::DeviceFate fate = domain::DeviceFate::Keep) {
        return store_->revoke({session, user, "ended_by_user", fate, now(), Base::newId(), Base::client()});
    }

    std::unique_ptr<domain::SessionStore> store_;
    Uuid user_;
    Uuid session_;
};

}  // namespace otpgate::test
