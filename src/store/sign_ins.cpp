#include "store/sign_ins.h"

#include "otpgate/domain/otp_rules.h"
#include "otpgate/domain/session_rules.h"
#include "store/notices.h"

#include <vector>

namespace otpgate::store {

namespace {

std::optional<Uuid> findKnownDevice(db::Connection& connection, const domain::NewSession& session, const Uuid& userId) {
    std::vector<domain::StoredDevice> devices;
    for (const db::Row& row : connection.query(
             "SELECT id, user_id, install_id FROM devices WHERE user_id = ? AND revoked_at_us IS NULL", {userId})) {
        devices.push_back({row.uuid(0), row.uuid(1), row.text(2)});
    }
    domain::OtpVerification same;
    same.shownDevice = session.shownDevice;
    // What is to be trusted has proved itself: of an installation's name there may be copies.
    if (!session.trustsDevice) same.device = session.device;
    return domain::findSameDevice(same, userId, devices);
}

}  // namespace

OpenedSession openSession(db::Connection& connection, const domain::NewSession& session, const std::string& methods,
                          domain::User& user) {
    OpenedSession opened;
    const domain::Device& device = session.device;
    const auto known = findKnownDevice(connection, session, user.id);
    const Uuid deviceId = known.value_or(session.newDeviceId);
    if (known) {
        connection.execute(
            "UPDATE devices SET last_seen_at_us = ?, platform = ?, app_version = ?, device_name = ? WHERE id = ?",
            {session.now, device.platform, device.appVersion, device.name, deviceId});
    } else {
        connection.execute(
            "INSERT INTO devices (id, user_id, install_id, platform, app_version, device_name, created_at_us,"
            " last_seen_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            {deviceId, user.id, device.installId, device.platform, device.appVersion, device.name, session.now,
             session.now});
        if (user.lastLoginAt) opened.notice = writeNotice(connection, session.notice, user);
    }
    if (session.trustsDevice)
        connection.execute("UPDATE devices SET trusted_since_us = ? WHERE id = ?", {session.now, deviceId});
    connection.execute(
        "INSERT INTO sessions (id, user_id, device_id, amr, created_at_us, last_seen_at_us, expires_at_us,"
        " authenticated_at_us, ip_address, user_agent, install_id, platform, app_version, device_name)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {session.id, user.id, deviceId, methods, session.now, session.now,
         domain::newSessionEndsAt(methods, session.now, session.lifetimes), session.now, session.client.address,
         session.client.userAgent, device.installId, device.platform, device.appVersion, device.name});
    user.lastLoginAt = session.now;
    if (!device.timeZone.empty()) user.timeZone = device.timeZone;
    connection.execute("UPDATE users SET last_login_at_us = ?, time_zone = ?, factor_wanted_since_us = ? WHERE id = ?",
                       {session.now, user.timeZone, user.factorWantedSince, user.id});
    opened.signIn = {false, user, session.id, deviceId, methods};
    return opened;
}

}  // namespace otpgate::store
