#include "db/mysql_connection.h"
#include "db/mysql_group_connection.h"
#include "db/mysql_session.h"

#include <cppconn/driver.h>

#include <utility>

namespace otpgate::db {

namespace {

bool answers(MysqlDatabase& database, const MysqlHost& host) {
    try {
        MysqlSession::connect(database, host, Statements::One, "");
        return true;
    } catch (const DbError&) {
        return false;
    }
}

}  // namespace

// The connector's thread hooks (threadInit, threadEnd) are empty functions in MariaDB's client library.
MysqlDatabase::MysqlDatabase(MysqlUrl url, DatabaseSettings settings)
    : url_(std::move(url)),
      settings_(std::move(settings)),
      driver_([]() -> sql::Driver& {
          static sql::Driver& only = *get_driver_instance();  // it keeps a map that it does not lock
          return only;
      }()),
      hosts_(url_.hosts, [this](const MysqlHost& host) { return answers(*this, host); }) {}

std::string MysqlDatabase::currentHost() const {
    return hosts_.count() == 1 ? std::string{} : hosts_.at(hosts_.current()).toText();
}

std::unique_ptr<Connection> MysqlDatabase::connect() {
    return std::make_unique<MysqlConnection>(*this);
}

std::unique_ptr<Connection> MysqlDatabase::connectForGroups() {
    return std::make_unique<MysqlGroupConnection>(*this);
}

}  // namespace otpgate::db
