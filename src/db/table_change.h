// Reads what a CREATE TABLE or ALTER TABLE of a MySQL migration asks for, and sees whether the table has it. Used by
// the migrator, for a statement that the server refuses because something of it is there already, or gone.
#pragma once

#include "otpgate/db/connection.h"

#include <string_view>

namespace otpgate::db {

// Whether every column and key that the statement makes or changes is there as it says (name, type, NULL; columns of a
// key and their order), and every one that it drops is not. Defaults, collations and the order of columns are not
// compared: each server spells the first two in its own way. False for a statement that says anything else than
//   CREATE TABLE name (name type ..., PRIMARY KEY (...), [UNIQUE] KEY name (...))
//   ALTER TABLE name ADD COLUMN | MODIFY COLUMN name type ..., DROP COLUMN | DROP KEY name, ADD [UNIQUE] KEY name (...)
// so that what is not understood is not taken for done.
bool isInPlace(Connection& connection, std::string_view statement);

}  // namespace otpgate::db
