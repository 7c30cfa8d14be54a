#!/bin/sh
# Prints the C++ source that defines otpgate::db::sqlFiles(): every *.sql below the folder $1, in bytewise order.
# Raw literals keep the text as it stands; one literal for each 8 KiB or so of whole lines stays below every
# compiler's limit, and adjacent literals are one string.
set -eu
cd "$1"
export LC_ALL=C

cat <<'EOF'
// Generated from sql/ by sql/embed.sh.
#include "otpgate/db/sql_files.h"

#include <array>

namespace otpgate::db {

using namespace std::string_view_literals;

EOF

files=$(find . -name '*.sql' | sed 's|^\./||' | sort)
count=$(printf '%s' "$files" | grep -c . || true)
printf 'std::span<const SqlFile> sqlFiles() {\n    static constexpr std::array<SqlFile, %s> files{{\n' "$count"
for file in $files; do
    if grep -q ')otpgate_sql"' "$file"; then
        echo "sql/embed.sh: $file contains the delimiter of its own literal" >&2
        exit 1
    fi
    printf '        {"%s"sv,\n' "$file"
    awk '
        { text = text $0 "\n" }
        length(text) > 8000 { printf "R\"otpgate_sql(%s)otpgate_sql\"\n", text; text = "" }
        END { printf "R\"otpgate_sql(%s)otpgate_sql\"sv},\n", text }
    ' "$file"
done
printf '    }};\n    return files;\n}\n\n}  // namespace otpgate::db\n'
