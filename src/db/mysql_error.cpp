#include "db/mysql_error.h"

namespace otpgate::db {

ErrorKind mysqlErrorKind(int number) {
    switch (number) {
    case 1062:  // ER_DUP_ENTRY
    case 1586:  // ER_DUP_ENTRY_WITH_KEY_NAME
        return ErrorKind::Duplicate;

    case 1213:  // ER_LOCK_DEADLOCK; on a Galera cluster also a certification conflict, at any statement or at COMMIT
    case 1020:  // ER_CHECKREAD: MariaDB with innodb_snapshot_isolation
        return ErrorKind::Deadlock;

    case 1205:  // ER_LOCK_WAIT_TIMEOUT; MariaDB's answer to NOWAIT, too
    case 3572:  // ER_LOCK_NOWAIT (MySQL)
    case 1969:  // ER_STATEMENT_TIMEOUT (MariaDB): of our short statements none lasts so long but one that waits
        return ErrorKind::Locked;

    // The client library lost the server, or the two disagree about what was asked.
    case 2000:  // CR_UNKNOWN_ERROR
    case 2001:  // CR_SOCKET_CREATE_ERROR
    case 2002:  // CR_CONNECTION_ERROR
    case 2003:  // CR_CONN_HOST_ERROR
    case 2005:  // CR_UNKNOWN_HOST
    case 2006:  // CR_SERVER_GONE_ERROR
    case 2012:  // CR_SERVER_HANDSHAKE_ERR
    case 2013:  // CR_SERVER_LOST, also when the read or write time-out passes
    case 2014:  // CR_COMMANDS_OUT_OF_SYNC
    case 2020:  // CR_NET_PACKET_TOO_LARGE
    case 2026:  // CR_SSL_CONNECTION_ERROR
    case 2027:  // CR_MALFORMED_PACKET
    case 2030:  // CR_NO_PREPARE_STMT
    case 2048:  // CR_INVALID_CONN_HANDLE
    case 2055:  // CR_SERVER_LOST_EXTENDED
    case 1243:  // ER_UNKNOWN_STMT_HANDLER: the server was exchanged behind a proxy
    // The server ends the connection, or takes none.
    case 1040:  // ER_CON_COUNT_ERROR
    case 1053:  // ER_SERVER_SHUTDOWN
    case 1080:  // ER_FORCING_CLOSE
    case 1152:  // ER_ABORTING_CONNECTION
    case 1158:  // ER_NET_READ_ERROR
    case 1159:  // ER_NET_READ_INTERRUPTED
    case 1160:  // ER_NET_ERROR_ON_WRITE
    case 1161:  // ER_NET_WRITE_INTERRUPTED
    case 1184:  // ER_NEW_ABORTING_CONNECTION
    case 1927:  // ER_CONNECTION_KILLED (MariaDB)
    case 3032:  // ER_SERVER_OFFLINE_MODE
    case 3169:  // ER_SESSION_WAS_KILLED
    case 4031:  // ER_CLIENT_INTERACTION_TIMEOUT
    // The server is up and does not serve writes: another one behind the same address may.
    case 1047:  // ER_UNKNOWN_COM_ERROR: a Galera node outside the primary component ("WSREP has not yet prepared node")
    case 1290:  // ER_OPTION_PREVENTS_STATEMENT: --read-only after a switch-over
    case 1836:  // ER_READ_ONLY_MODE
    case 1180:  // ER_ERROR_DURING_COMMIT: a Galera node that loses the others meanwhile
        return ErrorKind::Gone;
    }
    return ErrorKind::Other;
}

bool hostRefuses(int number) {
    switch (number) {
    case 1047:
    case 1053:
    case 1180:
    case 1290:
    case 1836:
    case 3032: return true;
    }
    return false;
}

std::string withoutValues(int number, std::string_view sqlState, std::string_view text) {
    // Classes 22 (data) and 23 (constraints) quote values, and under HY000 are filed 1300 (bytes that are no
    // characters) and by MySQL 1366 (incorrect value for a column).
    const bool quotesValues =
        sqlState.starts_with("22") || sqlState.starts_with("23") || number == 1300 || number == 1366;
    const auto quote = text.find('\'');
    if (!quotesValues || quote == std::string_view::npos) return std::string{text};

    std::string out{text.substr(0, quote)};
    out += "'...'";
    for (const std::string_view tail : {" for key ", " for column "}) {
        if (const auto at = text.rfind(tail); at != std::string_view::npos && at > quote) {
            out += text.substr(at);
            break;
        }
    }
    return out;
}

}  // namespace otpgate::db
