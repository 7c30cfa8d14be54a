# otpgate. `make help` lists the targets.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# As many jobs as there are cores; a -j on the command line wins over this line.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all

# What may be set:
BUILD ?= release
ifndef VERSION
VERSION := $(shell etc/dev/version)
endif
PREFIX ?= /usr/local
DESTDIR ?=
# Where `make install` leaves the debugger's symbols: beside the binary, or inside it, for who packages it and parts them.
SYMBOLS ?= beside
# For the debugger; -g1 is enough for a backtrace, and compiles in three quarters of the time.
DEBUG_INFO ?= -g
ARGS ?=
# So many files of a folder are compiled as one, so that what headers bring is parsed and made once for all of them: a build
# takes half the time. 1 is for who changes one file after the other, and for the builds that are to find whoever forgets an
# #include.
GROUP := 1

# Flags:
CXX := g++
PYTHON := /usr/bin/python3
# Debian keeps the headers of every library we use directly under /usr/include, which g++ treats as system headers:
# no warnings from them, and no -isystem (naming /usr/include there breaks libstdc++'s own #include_next).
INCLUDES := -Iinclude -Isrc -Itests
CPPFLAGS := $(INCLUDES)
# -Wno-restrict: g++ 12 reports it for correct std::string concatenations (GCC bug 105651).
CXXFLAGS := -std=c++20 -pthread $(DEBUG_INFO) -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-restrict -Werror
LDFLAGS := -pthread -Wl,--as-needed
LDLIBS := -lPocoNetSSL -lPocoCrypto -lPocoDataSQLite -lPocoData -lPocoJSON -lPocoNet \
    -lPocoFoundation -lmysqlcppconn -lssl -lcrypto -largon2 -lzxcvbn -lsqlite3 -lcurl -lphonenumber -lprotobuf -licui18n \
    -licuuc -lprometheus-cpp-core -lfido2 -lcbor -lqrencode
# crypt_r is also in the sanitizers' runtime, which only passes it on: --as-needed would leave out the real one.
LDLIBS += -Wl,--no-as-needed -lcrypt -Wl,--as-needed

ifeq ($(BUILD),release)
CPPFLAGS += -D_FORTIFY_SOURCE=2
CXXFLAGS += -O2 -fPIE -fstack-protector-strong -fstack-clash-protection
LDFLAGS += -pie -Wl,-z,relro -Wl,-z,now
# Of the tests' own objects: they run in seconds, and compile in a third of the time.
TEST_CXXFLAGS := -O0 -U_FORTIFY_SOURCE
# The standard library's headers are parsed once. The other builds do without, so that they find whoever forgets an
# #include. It also makes g++ 12 report what it overlooks in the headers of the system otherwise, wrongly, of moved
# std::strings (GCC bug 105329); the other builds keep these warnings.
PRECOMPILED := yes
CXXFLAGS += -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
GROUP := 8
# g++ takes the file that includes them for the source, and them for headers.
CXXFLAGS += -iquote . -Wno-subobject-linkage
else ifeq ($(BUILD),debug)
CPPFLAGS += -D_GLIBCXX_ASSERTIONS
CXXFLAGS += -O0
else ifeq ($(BUILD),asan)
CPPFLAGS += -D_GLIBCXX_ASSERTIONS
CXXFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
TEST_CXXFLAGS := -O0
else ifeq ($(BUILD),tsan)
# g++ 12 reports members of an empty std::optional under instrumentation (GCC bug 80635); the other builds keep the warning.
CXXFLAGS += -Wno-maybe-uninitialized
CXXFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS += -fsanitize=thread
TEST_CXXFLAGS := -O0
PRECOMPILED := yes
CXXFLAGS += -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
GROUP := 8
# g++ takes the file that includes them for the source, and them for headers.
CXXFLAGS += -iquote . -Wno-subobject-linkage
else ifeq ($(BUILD),coverage)
# For `make coverage`. By clang, which counts the conditions that stand in the source; of the branches that g++ counts, half
# clean up behind an exception. The warnings are left to the other builds.
CXX := clang++
CXXFLAGS := -std=c++20 -pthread -gline-tables-only -O0 -w \
    -fprofile-instr-generate=$(abspath build/coverage/counts)/%4m.profraw -fcoverage-mapping -fprofile-update=atomic
LDFLAGS += -fprofile-instr-generate
# What the tests reach of themselves is no question.
TEST_CXXFLAGS := -fno-profile-instr-generate -fno-coverage-mapping
PRECOMPILED := yes
else ifeq ($(BUILD),fuzz)
# For `make fuzz` alone: libFuzzer is clang's. The warnings are left to the other builds.
CXX := clang++
CPPFLAGS += -D_GLIBCXX_ASSERTIONS
CXXFLAGS := -std=c++20 -pthread -gline-tables-only -O1 -fno-omit-frame-pointer -w \
    -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined,fuzzer
else
$(error BUILD is release, debug, asan, tsan, coverage or fuzz, not '$(BUILD)')
endif

# Files:
OBJ := build/obj/$(BUILD)
BIN := build/bin/$(BUILD)
SOURCES := $(sort $(shell find src -name '*.cpp'))
UNIT_SOURCES := $(sort $(wildcard tests/unit/*.cpp tests/unit/*/*.cpp))
CONTRACT_SOURCES := $(sort $(wildcard tests/contract/*.cpp tests/contract/*/*.cpp))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/*.cpp))
FUZZ_TARGETS := $(filter-out tests/fuzz/main.cpp,$(FUZZ_SOURCES))
# What the unit and the contract tests share.
TEST_SOURCES := $(sort $(wildcard tests/support_cpp/*.cpp))
TESTS := $(UNIT_SOURCES) $(CONTRACT_SOURCES) $(TEST_SOURCES)
HEADERS := $(sort $(shell find include src tests -name '*.h'))
SQL_FILES := $(sort $(shell find sql -type f))
TEMPLATE_FILES := $(sort $(shell find etc/templates -type f))
SENTENCE_FILES := $(sort $(wildcard etc/texts/*.json))
# The objects that name the version are the only ones that a new commit compiles again.
VERSIONED := $(shell grep -rls OTPGATE_VERSION src --include='*.cpp')

objects = $(patsubst %.cpp,$(OBJ)/%.o,$(1))
# What is compiled of the library and of the tests: groups, or the sources themselves.
COMPILED := $(filter-out src/main.cpp $(VERSIONED),$(SOURCES)) $(UNIT_SOURCES) $(CONTRACT_SOURCES) $(FUZZ_TARGETS)
ifneq ($(GROUP),1)
GROUPED := $(COMPILED)
COMPILED := $(shell etc/dev/group_sources build/gen/groups_of_$(GROUP) $(GROUP) $(GROUPED))
ifneq ($(.SHELLSTATUS),0)
$(error the sources cannot be grouped)
endif
# Where `make clean all` has removed them.
$(COMPILED):
	@etc/dev/group_sources build/gen/groups_of_$(GROUP) $(GROUP) $(GROUPED) >/dev/null
endif
compiled_of = $(foreach file,$(COMPILED),$(if $(findstring /$(1)/,/$(file)),$(file)))
LIBRARY := $(OBJ)/libotpgate.a
GENERATED := build/gen/sql_files.cpp build/gen/templates.cpp build/gen/sentences.cpp build/gen/openapi.cpp
LIBRARY_OBJECTS := $(call objects,$(call compiled_of,src) $(filter-out src/main.cpp,$(VERSIONED)) $(GENERATED))
UNIT_OBJECTS := $(call objects,$(call compiled_of,tests/unit))
FUZZ_OBJECTS := $(call objects,$(call compiled_of,tests/fuzz))
CONTRACT_OBJECTS := $(call objects,$(call compiled_of,tests/contract))
TEST_OBJECTS := $(UNIT_OBJECTS) $(CONTRACT_OBJECTS) $(call objects,$(TEST_SOURCES))
PRODUCT_OBJECTS := $(OBJ)/src/main.o $(LIBRARY_OBJECTS)

# Building:
.PHONY: all pages docs docs-if-possible deps deps-build deps-run deps-mysql deps-test deps-lint deps-debug deps-mysql9 deps-galera deps-container deps-recipes deps-deb deps-debtest deps-bench \
    deps-fuzz deps-coverage run build-tests test test-mysql test-galera test-deb test-container test-recipes unit contract e2e fuzz coverage mutants proofs lint lint-tidy \
    lint-format lint-layers lint-mutants format bench deb install uninstall clean help FORCE

all: build/otpgate ## install what the build needs and build build/otpgate (BUILD=release|debug|asan|tsan)

ifeq ($(BUILD),release)
build/otpgate: $(BIN)/otpgate
	@ln -sfn bin/release/otpgate $@
else
build/otpgate: $(BIN)/otpgate
endif

$(BIN)/otpgate: $(OBJ)/src/main.o $(LIBRARY)
$(BIN)/unit-tests: $(UNIT_OBJECTS) $(FUZZ_OBJECTS) $(call objects,$(TEST_SOURCES)) $(LIBRARY)
$(BIN)/contract-tests: $(CONTRACT_OBJECTS) $(call objects,$(TEST_SOURCES)) $(LIBRARY)
$(BIN)/unit-tests $(BIN)/contract-tests: private LDLIBS += -lcppunit
$(BIN)/otpgate $(BIN)/unit-tests $(BIN)/contract-tests:
	@mkdir -p $(@D)
	@echo "link  $@"
	@$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# From scratch each time, so that an object whose source is gone does not live on in it.
$(LIBRARY): $(LIBRARY_OBJECTS) $(OBJ)/library.list
	@rm -f $@
	@ar rcsD $@ $(filter %.o,$^)

# The headers that many files share, compiled once: one for the library, one for the tests, whose flags differ.
ifdef PRECOMPILED
$(OBJ)/%/precompiled.h.gch: %/precompiled.h $(OBJ)/flags | deps-build
	@mkdir -p $(@D)
	@echo "c++   $<"
	@$(CXX) $(CPPFLAGS) $(CXXFLAGS) -x c++-header -o $@ $<

$(PRODUCT_OBJECTS): private CXXFLAGS += -include $(OBJ)/src/precompiled.h
$(PRODUCT_OBJECTS): $(OBJ)/src/precompiled.h.gch
$(TEST_OBJECTS): private CXXFLAGS += -include $(OBJ)/tests/precompiled.h
$(TEST_OBJECTS): $(OBJ)/tests/precompiled.h.gch
endif

$(OBJ)/%.o: %.cpp $(OBJ)/flags | deps-build
	@mkdir -p $(@D)
	@echo "c++   $<"
	@$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

$(call objects,$(VERSIONED)): private CPPFLAGS += -DOTPGATE_VERSION='"$(VERSION)"'
$(call objects,$(VERSIONED)): $(OBJ)/version
$(TEST_OBJECTS) $(OBJ)/tests/precompiled.h.gch: | deps-test
# g++ 12 reports std::optional<std::string> members of large test values that are never read (GCC bug 80635).
$(TEST_OBJECTS) $(OBJ)/tests/precompiled.h.gch: private CXXFLAGS += -Wno-maybe-uninitialized $(TEST_CXXFLAGS)

# What they include stands in these rules.
$(GENERATED): Makefile

build/gen/sql_files.cpp: src/embed_files.sh $(SQL_FILES) build/gen/sql_files.list
	@mkdir -p $(@D)
	@src/embed_files.sh sql otpgate/db/sql_files.h otpgate::db SqlFile sqlFiles > $@

build/gen/templates.cpp: src/embed_files.sh $(TEMPLATE_FILES) build/gen/template_files.list
	@mkdir -p $(@D)
	@src/embed_files.sh etc/templates otpgate/delivery/template_files.h otpgate::delivery BuiltInTemplate builtInTemplates > $@

build/gen/sentences.cpp: src/embed_files.sh $(SENTENCE_FILES) build/gen/sentence_files.list
	@mkdir -p $(@D)
	@src/embed_files.sh etc/texts otpgate/http/sentences.h otpgate::http SentenceTable builtInSentences > $@

build/gen/openapi.cpp: src/embed_text.sh src/api/openapi.json
	@mkdir -p $(@D)
	@src/embed_text.sh src/api/openapi.json api/openapi.h otpgate::api openApiDocument > $@

# Files that hold what a rule depends on beside other files, and are touched only when that changes.
remember = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' > $@
$(OBJ)/flags: FORCE
	$(call remember,$(CXX) $(CPPFLAGS) $(CXXFLAGS))
$(OBJ)/version: FORCE
	$(call remember,$(VERSION))
$(OBJ)/library.list: FORCE
	$(call remember,$(LIBRARY_OBJECTS))
build/gen/sql_files.list: FORCE
	$(call remember,$(SQL_FILES))
build/gen/template_files.list: FORCE
	$(call remember,$(TEMPLATE_FILES))
build/gen/sentence_files.list: FORCE
	$(call remember,$(SENTENCE_FILES))

-include $(patsubst %.o,%.d,$(PRODUCT_OBJECTS) $(TEST_OBJECTS))

# Documentation pages:
docs: build/otpgate ## build/www: the pages, the documentation, and /api/docs/ and /api/redoc/, whose bundles npm installs into build/
	@etc/dev/docs/build
# All but the bundles, for which nobody needs npm. Bundles that an earlier `make docs` has brought stay.
pages: build/otpgate
	@etc/dev/docs/build --without-bundles
# Without npm's registry the service itself still builds and runs.
docs-if-possible: build/otpgate
	@etc/dev/docs/build || echo "note: /api/docs/ and /api/redoc/ will show a link only, because npm failed" >&2

# Packages:
deps: ## install every Debian package that building, running, testing and linting need
	@etc/dev/deps build run mysql test lint
deps-build deps-run deps-mysql deps-test deps-lint deps-debug deps-mysql9 deps-galera deps-container deps-recipes deps-bench deps-fuzz deps-coverage deps-deb deps-debtest: deps-%:
	@etc/dev/deps $*

# Running:
run: build/otpgate docs-if-possible deps-run $(if $(filter mysql,$(DB)),deps-mysql) ## serve http://localhost:8080/ (PORT=8080 DB=sqlite|mysql STATE=var)
	@exec etc/dev/run $(if $(PORT),--port '$(PORT)') $(if $(DB),--db '$(DB)') $(if $(STATE),--state '$(STATE)')

# Testing:
TEST_BINARIES := $(BIN)/otpgate $(BIN)/unit-tests $(BIN)/contract-tests
RUN_TESTS = OTPGATE_TEST_BIN=$(abspath $(BIN)) $(PYTHON) tests/run

build-tests: build/otpgate $(TEST_BINARIES) docs ## what the tests run: the service, its pages and the test programs
test: build-tests deps-test ## all tests, on SQLite and on a private MariaDB (BUILD=asan works too)
	@$(RUN_TESTS)
unit: $(BIN)/unit-tests deps-test ## the unit tests (ARGS=...)
	@$(RUN_TESTS) unit -- $(ARGS)
contract: $(BIN)/contract-tests deps-test ## every store and driver against both engines (ARGS=...)
	@$(RUN_TESTS) contract -- $(ARGS)
e2e: build/otpgate $(BIN)/otpgate docs deps-test ## the whole service behind nginx and Apache (ARGS="-k login", WEB=nginx|apache|lighttpd|mod_fcgid)
	@$(RUN_TESTS) e2e $(addprefix --behind ,$(WEB)) -- $(ARGS)
test-mysql: build/otpgate $(TEST_BINARIES) docs deps-test deps-mysql9 ## contract and e2e tests on a real MySQL 9 (downloads it once)
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/mysql9/run $(ARGS)
test-galera: build/otpgate $(BIN)/otpgate docs deps-test deps-galera ## three nodes on loopback: what holds when calls change node, nodes die, processes restart (ARGS="-k hot")
	@$(RUN_TESTS) galera -- $(ARGS)
test-deb: deb deps-test deps-bench deps-debtest $(BIN)/bench-login ## the package on a bare Debian 12: lintian, piuparts, sign-in, upgrade under load (root)
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/deb/run build/deb/otpgate_*.deb
test-container: build/otpgate $(BIN)/otpgate docs deps-test deps-container ## etc/container without an engine: the Dockerfile's steps in a Debian 12 (fetched once), and a sign-in
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/container/run
test-recipes: build/otpgate $(BIN)/otpgate docs deps-test deps-recipes ## the recipes of etc/doc/protect.md and openid.md for programs of Debian 12, in one (fetched once), as they stand (root)
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/recipes/run
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/recipes/webmail
bench: build/otpgate $(BIN)/otpgate $(BIN)/bench-echo $(BIN)/bench-login ## rates, latency and CPU, beside an empty program or another build (ARGS="--quick")
	@etc/dev/deps bench
	@OTPGATE_TEST_BIN=$(abspath $(BIN)) tests/bench/run $(ARGS)
$(OBJ)/tests/bench/echo.o: | deps-bench
$(BIN)/bench-echo: $(OBJ)/tests/bench/echo.o
$(BIN)/bench-echo: private LDLIBS := -lfcgi
$(BIN)/bench-login: $(OBJ)/tests/bench/login.o
$(BIN)/bench-login: private LDLIBS :=
$(BIN)/bench-echo $(BIN)/bench-login:
	@mkdir -p $(@D)
	@$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Fuzzing: a libFuzzer program of all tests/fuzz/*_fuzz.cpp over what reads the words of strangers. SECONDS for each of
# them, TARGET for one alone. The unit tests hold the same functions, and give them the kept inputs.
FUZZED := $(filter src/base/% src/crypto/% src/domain/% src/http/% src/delivery/% src/api/%_fields.cpp \
    src/cli/%_user.cpp src/cli/import_row.cpp src/cli/json_elements.cpp src/db/database_url.cpp src/settings%.cpp,$(SOURCES)) \
    build/gen/templates.cpp
fuzz: deps-build deps-fuzz ## the fuzzers, under sanitizers (SECONDS=60 for each, TARGET=name for one)
	@$(MAKE) BUILD=fuzz build/bin/fuzz/fuzz
	@tests/fuzz/run --seconds $(or $(SECONDS),60) $(TARGET)
-include $(patsubst %.o,%.d,$(FUZZ_OBJECTS) $(OBJ)/tests/fuzz/main.o)
ifeq ($(BUILD),fuzz)
$(call objects,$(FUZZ_SOURCES)): | deps-fuzz
$(OBJ)/libfuzzed.a: $(call objects,$(FUZZED))
	@rm -f $@
	@ar rcsD $@ $^
$(BIN)/fuzz: $(call objects,$(FUZZ_SOURCES)) $(OBJ)/libfuzzed.a
	@mkdir -p $(@D)
	@echo "link  $@"
	@$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)
else
$(FUZZ_OBJECTS): private CXXFLAGS += -Wno-maybe-uninitialized $(TEST_CXXFLAGS)
endif

coverage: docs deps-test deps-coverage ## lines and conditions that the tests reach, by folder (SUITES="unit contract e2e")
	@$(MAKE) BUILD=coverage coverage-binaries
	@tests/coverage $(SUITES)
coverage-binaries: $(TEST_BINARIES)
# In a copy of the tree, so that nothing of them is in the sources.
mutants: $(BIN)/unit-tests $(BIN)/contract-tests deps-test ## faults planted one at a time: which test notices each (ARGS="name...")
	@tests/mutants/run $(ARGS)
proofs: deps ## what takes hours, once a week: sanitizers, races, web servers, MySQL 9, Galera, fuzzers, coverage, mutants (PARTS="asan tsan ...")
	@tests/proofs $(PARTS)

# Linting:
LINTED := $(SOURCES) $(TESTS) $(FUZZ_SOURCES)
# What clang-tidy reads: all of it, or the product alone (TIDIED='$(SOURCES)'), which is half the time.
TIDIED ?= $(LINTED)
TIDY = tests/lint/tidy $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),1)
TIDY_FLAGS := -std=c++20 -pthread $(INCLUDES) '-DOTPGATE_VERSION=""'

# Every kind of finding is shown before it fails.
lint: deps-lint deps-build deps-test ## clang-tidy on what changed, clang-format, and the direction of the layers
	@$(MAKE) --keep-going --output-sync=target lint-layers lint-format lint-mutants lint-tidy

lint-layers:
	@tests/lint/layers.sh
lint-format:
	@clang-format --dry-run -Werror $(LINTED) $(HEADERS)
# That each of them still stands in the sources.
lint-mutants:
	@tests/mutants/run --check
lint-tidy:
	@$(TIDY) $(TIDIED) -- $(TIDY_FLAGS)
# One file: make build/lint/src/app.tidy
build/lint/%.tidy: %.cpp FORCE
	@$(TIDY) $< -- $(TIDY_FLAGS)

format: deps-lint ## bring the sources into shape with clang-format
	@clang-format -i $(LINTED) $(HEADERS)

# Installing:
# The configuration of what is installed under /usr or /usr/local is in /etc.
sysconfdir := $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
datadir := $(PREFIX)/share/otpgate
unitdir := $(if $(filter /usr,$(PREFIX)),/lib/systemd/system,$(sysconfdir)/systemd/system)
UNITS := otpgate.socket otpgate.service otpgate-deliver.service

# The migrations and the templates are inside the binary; those in share/ are for who wants others. A configuration that is there is never touched; the new defaults stand in share/.
install: build/otpgate pages ## install to $(DESTDIR)$(PREFIX): binary (bin/.debug is for gdb), man page, pages, settings, systemd units, web server examples
	install -D -m 755 build/bin/release/otpgate $(DESTDIR)$(PREFIX)/bin/otpgate
ifeq ($(SYMBOLS),beside)
	install -d $(DESTDIR)$(PREFIX)/bin/.debug
	objcopy --only-keep-debug --compress-debug-sections build/bin/release/otpgate $(DESTDIR)$(PREFIX)/bin/.debug/otpgate.debug
	chmod 644 $(DESTDIR)$(PREFIX)/bin/.debug/otpgate.debug
	strip $(DESTDIR)$(PREFIX)/bin/otpgate
	objcopy --add-gnu-debuglink=$(DESTDIR)$(PREFIX)/bin/.debug/otpgate.debug $(DESTDIR)$(PREFIX)/bin/otpgate
endif
	install -d $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	build/otpgate help --man > $(DESTDIR)$(PREFIX)/share/man/man8/otpgate.8
	build/otpgate help --bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/otpgate
	cd build/www && find -L . -type f -exec install -D -m 644 {} $(DESTDIR)$(datadir)/www/{} \;
	install -d $(DESTDIR)$(sysconfdir)/otpgate/page
	ln -sfn $(sysconfdir)/otpgate/page $(DESTDIR)$(datadir)/www/page
	install -D -m 644 -t $(DESTDIR)$(datadir)/nginx etc/nginx/*.conf
	install -D -m 644 -t $(DESTDIR)$(datadir)/apache etc/apache/*.conf etc/apache/*.lua etc/apache/htaccess
	install -D -m 755 -t $(DESTDIR)$(datadir)/apache etc/apache/otpgate.fcgi
	install -D -m 644 -t $(DESTDIR)$(datadir)/lighttpd etc/lighttpd/*.conf
	install -D -m 644 -t $(DESTDIR)$(datadir)/lighttpd/errors etc/lighttpd/errors/*
	sed -i 's|/usr/local/share/otpgate|$(datadir)|' $(DESTDIR)$(datadir)/nginx/otpgate.conf \
	    $(DESTDIR)$(datadir)/nginx/otpgate_prefix_locations.conf $(DESTDIR)$(datadir)/apache/otpgate.conf \
	    $(DESTDIR)$(datadir)/lighttpd/otpgate.conf
	install -D -m 644 -t $(DESTDIR)$(datadir)/prometheus etc/prometheus/otpgate.rules.yml
	install -D -m 644 -t $(DESTDIR)$(datadir)/grafana etc/grafana/otpgate.json
	cd etc/templates && find . -type f -exec install -D -m 644 {} $(DESTDIR)$(datadir)/templates/{} \;
	install -D -m 644 -t $(DESTDIR)$(datadir) etc/otpgate.conf
	test -e $(DESTDIR)$(sysconfdir)/otpgate/otpgate.conf || \
	    install -D -m 640 etc/otpgate.conf $(DESTDIR)$(sysconfdir)/otpgate/otpgate.conf
	install -d $(DESTDIR)$(unitdir) $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	for unit in $(UNITS); do sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@SYSCONFDIR@|$(sysconfdir)|g' etc/systemd/$$unit \
	    > $(DESTDIR)$(unitdir)/$$unit || exit; done
	install -m 644 etc/systemd/otpgate.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/otpgate.conf
	@test -e build/www/api/docs/swagger-ui-bundle.js || \
	    echo "note: /api/docs/ and /api/redoc/ show a link only; their viewers come by \`make docs\` before this (nodejs, npm)"

# What was written while it ran is its owner's: users, sessions, settings, the master key.
uninstall: ## remove what `make install` has put there; settings, keys and data stay
	rm -f $(DESTDIR)$(PREFIX)/bin/otpgate $(DESTDIR)$(PREFIX)/bin/.debug/otpgate.debug \
	    $(DESTDIR)$(PREFIX)/share/man/man8/otpgate.8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/otpgate \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/otpgate.conf $(addprefix $(DESTDIR)$(unitdir)/,$(UNITS))
	rm -rf $(DESTDIR)$(datadir)
	@rmdir $(DESTDIR)$(PREFIX)/bin/.debug 2>/dev/null || true
	@echo "left: $(DESTDIR)$(sysconfdir)/otpgate and the database"

deb: build/otpgate docs deps-deb ## build/deb/otpgate_VERSION_ARCHITECTURE.deb, the package for Debian
	@etc/debian/build '$(VERSION)'

clean: ## remove what was built (the state of `make run` stays: it is in var/)
	rm -rf build

help: ## this list
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(firstword $(MAKEFILE_LIST)) | \
	    sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'
