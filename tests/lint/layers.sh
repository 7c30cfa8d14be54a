#!/bin/bash
# Holds the layers to their directions (src/README.md): who may include whom, and who may use which library.
# Prints each finding as file:line: rule, and fails when there is one. usage: layers.sh [ROOT]
set -uo pipefail
cd "${1:-"$(dirname "${BASH_SOURCE[0]}")/../.."}" || exit 2
export LC_ALL=C

# layer = the layers that it may include, beside itself. cli and the files directly in src/ know all.
declare -A may_use=(
    [base]=""
    [crypto]="base"
    [db]="base"
    [http]="base"
    [domain]="base crypto"
    [store]="domain db base crypto"
    [delivery]="domain base crypto"
    [api]="http domain base"
)

# Where `catch (...)` may stand: the error boundary, a thread's main, and destructors.
catch_all_allowed="
src/http/boundary.cpp
src/http/fcgi_server.cpp
src/delivery/courier/courier.cpp
src/db/transaction.cpp
src/main.cpp
"

findings=0
report() {  # stdin: grep's file:line:text; $1: the rule
    local file line rest
    while IFS=: read -r file line rest; do
        echo "$file:$line: $1"
        findings=$((findings + 1))
    done
}

# Lines of the given files that match, without those that are comments as a whole.
lines() {  # $1: extended regular expression; the rest: files or folders
    local pattern=$1
    shift
    grep -rnE --include='*.h' --include='*.cpp' -- "$pattern" "$@" 2>/dev/null | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(//|\*)'
}

everything() {
    local dir
    for dir in src include tests/unit tests/contract; do [[ -d $dir ]] && echo "$dir"; done
}

for layer in "${!may_use[@]}"; do
    folders=()
    for dir in "src/$layer" "include/otpgate/$layer"; do [[ -d $dir ]] && folders+=("$dir"); done
    [[ ${#folders[@]} -gt 0 ]] || continue
    for other in base crypto db http domain store delivery api cli; do
        [[ $other != "$layer" && " ${may_use[$layer]} " != *" $other "* ]] || continue
        report "layer $layer must not include layer $other" \
            < <(lines "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]([./]*)(src/)?(otpgate/)?$other/" "${folders[@]}")
    done
    # Only the composition root includes what lies directly in src/.
    report "layer $layer must not include the composition root" \
        < <(lines '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]([.][.]/)*(otpgate/)?app\.h' "${folders[@]}")
done

for dir in src/*/ include/otpgate/*/; do
    [[ -d $dir ]] || continue
    name=$(basename "$dir")
    [[ -v may_use[$name] || $name == cli ]] || report "no such layer: add it to tests/lint/layers.sh" <<<"$dir:1:"
done

mapfile -t all < <(everything)
[[ ${#all[@]} -gt 0 ]] || exit 0

outside() {  # drops the findings below the given prefixes
    local pattern
    pattern=$(printf '|%s' "$@")
    grep -vE "^(${pattern:1})"
}

# The rooms of delivery know what they share, and not each other; the courier knows them all.
for room in mail sms templates; do
    for other in courier mail sms templates; do
        [[ $room != "$other" && -d src/delivery/$room ]] || continue
        report "delivery/$room must not include delivery/$other" \
            < <(lines "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](src/)?delivery/$other/" "src/delivery/$room")
    done
done
report "what delivery's rooms share must not include a room" \
    < <(lines '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"](src/)?delivery/[a-z]+/' src/delivery/*.h src/delivery/*.cpp)

report "only src/http uses libfcgi" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"](fcgiapp|fcgi_stdio|fcgio|fcgi_config|fastcgi)\.h' "${all[@]}" | outside src/http/ tests/)
report "fcgi_stdio.h replaces stdio: use fcgiapp.h" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"]fcgi_stdio\.h' "${all[@]}")
report "only src/db uses the database libraries" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"](cppconn/|mysql_connection|mysql_driver|mysql/|mysqlx/|jdbc/|Poco/Data/|sqlite3)' "${all[@]}" | outside src/db/ tests/)
report "only src/base/metrics.cpp uses prometheus-cpp" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"]prometheus/' "${all[@]}" | outside src/base/metrics.cpp:)
report "only src/base/unicode.cpp and time_zones.cpp use ICU" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"]unicode/' "${all[@]}" | outside src/base/unicode.cpp: src/base/time_zones.cpp:)
report "time comes from Clock: system_clock::now stands in src/base/clock.cpp alone" \
    < <(lines 'system_clock::now|[^_[:alnum:]]time\((NULL|nullptr|0)\)|Poco/(Timestamp|DateTime|LocalDateTime)\.h' src include | outside src/base/clock.cpp:)
report "randomness comes from crypto: no Poco::Random, no std engines" \
    < <(lines 'Poco/Random|Poco::Random|std::(mt19937|random_device|default_random_engine)|[^_[:alnum:]]s?rand\(' "${all[@]}")
report "no using namespace std" \
    < <(lines 'using[[:space:]]+namespace[[:space:]]+std[[:space:]]*;' "${all[@]}")
report "no using namespace in a header" \
    < <(lines '^[[:space:]]*using[[:space:]]+namespace' "${all[@]}" | grep -E '^[^:]+\.h:')
report "catch (...) belongs to the error boundary, a thread's main and destructors (allow-list in tests/lint/layers.sh)" \
    < <(lines 'catch[[:space:]]*\([[:space:]]*\.\.\.[[:space:]]*\)' src include | grep -vFf <(sed '/^$/d; s/$/:/' <<<"$catch_all_allowed"))
report "SQL belongs to store and db" \
    < <(lines '"[[:space:]]*(SELECT [^"]* FROM|INSERT (INTO|IGNORE)|UPDATE [a-z_]+ SET|DELETE FROM|CALL [a-z_]+\()' src/domain src/api src/http src/delivery src/crypto src/base)
report "domain knows no HTTP" \
    < <(lines '#[[:space:]]*include[[:space:]]*[<"]Poco/Net/' src/domain include/otpgate/domain src/store include/otpgate/store)

# Else the time of the answer tells how much of a forged MAC, key or code is right.
secret='(^|[^_[:alnum:]])(hmacSha256|sha256)\([^;]*|(^|[^._[:alnum:]])(mac|fixedCode_|[a-zA-Z>.-]*[sS]ecretHash)'
report "secrets are compared by crypto::equalInConstantTime" \
    < <(lines "($secret)[[:space:]]*(==|!=)|(==|!=)[[:space:]]*[a-z:]*($secret)([^.[:alnum:]]|$)" src include)
report "secrets are compared by crypto::equalInConstantTime" \
    < <(lines '(^|[^._[:alnum:]])(code|plain|guess|hash|stored\.hash)[[:space:]]*(==|!=)' src/domain/otp_code.cpp src/crypto/password_hash.cpp)
if [[ -e src/crypto/hash.cpp ]] && ! grep -q 'CRYPTO_memcmp(' src/crypto/hash.cpp; then
    report "crypto::equalInConstantTime takes the same time for any two texts of a length" <<<src/crypto/hash.cpp:1:
fi

# Files of a folder are compiled as one (GROUP in the Makefile), so a name stands for one thing in all of them, and a function
# of an unnamed namespace has no overload in another file: the compiler could take that one, and say nothing.
taken_twice() {
    local folder
    for folder in $(find src tests/fuzz -type d -not -path '*/corpus*'); do
        find "$folder" -maxdepth 1 -name '*.cpp' -exec awk '
            FNR == 1 { unnamed = 0 }
            /^namespace \{/ { unnamed = 1 }
            /^\}  \/\/ namespace$/ { unnamed = 0 }
            { name = "" }
            /^(inline |static )?(const|constexpr) / && match($0, /[^_[:alnum:]]k[A-Z][_[:alnum:]]*/) { name = substr($0, RSTART + 1, RLENGTH - 1) }
            match($0, /^((struct|class|union|enum|enum class) (\[\[[a-z]+\]\] )?[_[:alnum:]]+ ?([{:]|final)|using [_[:alnum:]]+ ?=)/) {
                name = substr($0, 1, RLENGTH); sub(/ ?([{=:]|final)$/, "", name); sub(/.* /, "", name)
            }
            unnamed && !/^(struct|class|union|enum|using|namespace|template|constexpr|const) / && match($0, /^[a-zA-Z][^(=]*[ *&][_[:alnum:]]+\(/) {
                name = substr($0, 1, RLENGTH - 1); sub(/.*[ *&]/, "", name)
            }
            name != "" { print name "\t" FILENAME "\t" FNR "\t" $0 }' {} + | sort |
            awk -F'\t' '
                $1 == name && $2 != file && ($4 != line || $4 !~ /^using/) { print $2 ":" $3 ":" file " has a " name " too" }
                { name = $1; file = $2; line = $4 }'
    done
}
while IFS=: read -r file line words; do report "$words" <<<"$file:$line:"; done < <(taken_twice)
unnamed_tests() {
    local file name
    for file in tests/unit/*.cpp tests/contract/*.cpp; do
        name=$(basename "$file" .cpp)
        [[ ! -e $file || $name == main ]] || grep -qx "namespace $name {" "$file" || echo "$file:1:"
    done
}
report "the names of a test stand in a namespace that is called as the file" < <(unnamed_tests)

if ((findings > 0)); then
    echo "$findings findings in the layers" >&2
    exit 1
fi
