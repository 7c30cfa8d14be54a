#!/bin/sh
# Prints the C++ source of a function that returns the text of one file: embed_text.sh FILE HEADER NAMESPACE FUNCTION,
# where HEADER declares `std::string_view FUNCTION()` in NAMESPACE. Literals as src/embed_files.sh makes them.
set -eu
file=$1 header=$2 namespace=$3 function=$4
export LC_ALL=C

if grep -q ')otpgate_text"' "$file"; then
    echo "src/embed_text.sh: $file contains the delimiter of its own literal" >&2
    exit 1
fi
cat <<EOF
// Generated from $file by src/embed_text.sh.
#include "$header"

namespace $namespace {

using namespace std::string_view_literals;

std::string_view $function() {
    return
EOF
awk '
    { text = text $0 "\n" }
    length(text) > 8000 { printf "R\"otpgate_text(%s)otpgate_text\"\n", text; text = "" }
    END { printf "R\"otpgate_text(%s)otpgate_text\"sv;\n", text }
' "$file"
printf '}\n\n}  // namespace %s\n' "$namespace"
