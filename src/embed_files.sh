#!/bin/sh
# Prints the C++ source of a function that returns every file below a folder, in bytewise order of their paths:
# embed_files.sh FOLDER HEADER NAMESPACE TYPE FUNCTION, where HEADER declares `std::span<const TYPE> FUNCTION()` in
# NAMESPACE, and TYPE{path, text}. Raw literals keep the text as it stands; one literal for each 8 KiB or so of whole
# lines stays below every compiler's limit, and adjacent literals are one string.
set -eu
folder=$1 header=$2 namespace=$3 type=$4 function=$5
export LC_ALL=C

cat <<END
// Generated from $folder/ by src/embed_files.sh.
#include "$header"

#include <array>

namespace $namespace {

using namespace std::string_view_literals;

END

cd "$folder"
files=$(find . -type f | sed 's|^\./||' | sort)
count=$(printf '%s' "$files" | grep -c . || true)
printf 'std::span<const %s> %s() {\n    static constexpr std::array<%s, %s> files{{\n' "$type" "$function" "$type" "$count"
for file in $files; do
    if grep -q ')otpgate_file"' "$file"; then
        echo "src/embed_files.sh: $file contains the delimiter of its own literal" >&2
        exit 1
    fi
    printf '        {"%s"sv,\n' "$file"
    awk '
        { text = text $0 "\n" }
        length(text) > 8000 { printf "R\"otpgate_file(%s)otpgate_file\"\n", text; text = "" }
        END { printf "R\"otpgate_file(%s)otpgate_file\"sv},\n", text }
    ' "$file"
done
printf '    }};\n    return files;\n}\n\n}  // namespace %s\n' "$namespace"
