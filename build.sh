#!/usr/bin/env bash
# Everything that is done with this project, by one name each. `./build.sh` alone tells which.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Each folder below plugins/ but the SDK's is a plugin that comes with PiHook; its name is the id.
PLUGINS=()
for manifest in plugins/*/Cargo.toml; do
    id=$(basename "$(dirname "$manifest")")
    [ "$id" = sdk ] || PLUGINS+=("$id:$(sed -n 's/^name = "\(.*\)"$/\1/p' "$manifest")")
done
# Guests that misbehave on purpose, for the tests of the sandbox. They are built likewise and never embedded.
ROGUES=(rogue-check:rogue-check rogue-formatter:rogue-formatter)
WASM_TARGET=wasm32-wasip2
CARGO_DENY=0.20.2
TARGET_DIR=${CARGO_TARGET_DIR:-target}

usage() {
    cat <<'TEXT'
usage: ./build.sh COMMAND

  run        build everything and start PiHook on config/services.yaml
  test       install what the tests need and run all of them
  plugins    build the bundled plugins (needed once before a plain `cargo build`)
  check      format, lints and licences; no tests
  bench      measure CPU, memory, bytes written and start-up of what is shipped
  dist       build the binary that is shipped

Documentation: README.md, ARCHITECTURE.md, docs/.
TEXT
}

say() { printf '\n== %s\n' "$*" >&2; }

missing() { echo "build.sh: $1 is missing; $2" >&2; exit 1; }

need_rust() {
    command -v rustup >/dev/null || missing rustup "install Rust with it: https://rustup.rs"
    command -v cargo >/dev/null || missing cargo "rustup installs it: https://rustup.rs"
    command -v cc >/dev/null || missing "a C compiler" "on Debian: apt-get install gcc libc6-dev"
}

need_wasm_target() {
    need_rust
    if ! rustup target list --installed 2>/dev/null | grep -qx "$WASM_TARGET"; then
        say "installing the target $WASM_TARGET"
        rustup target add "$WASM_TARGET"
    fi
}

# What the tests start or compare with, beside what a Debian machine has anyway: real servers, and packers of package lists.
TEST_PACKAGES=(curl dbus-daemon dnsmasq-base dovecot-imapd dovecot-submissiond iproute2 lz4 openssl prometheus python3 python3-aiosmtpd python3-venv xz-utils zstd)

need_test_packages() {
    command -v apt-get >/dev/null || {
        say "this is no Debian machine: tests whose servers are missing may fail (${TEST_PACKAGES[*]})"
        return
    }
    local missing=() package
    for package in "${TEST_PACKAGES[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing for the tests: ${missing[*]}"
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get update -q
    # Nothing is started: the tests start what they need, on ports and in folders of their own.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# What asks the API all that its description allows, and all that it does not.
need_schemathesis() {
    local folder=target/tools/schemathesis wanted=tests/fixtures/schemathesis.txt
    # The list is copied last, so a half installation is begun anew.
    cmp -s "$wanted" "$folder/installed.txt" && return
    say "installing schemathesis"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$folder/installed.txt"
}

# Advisories are left out: their list lives outside of the package registry, and a test must not depend on today's.
need_cargo_deny() {
    PATH="$PWD/target/tools/bin:$PATH"
    command -v cargo-deny >/dev/null && return
    say "installing cargo-deny"
    cargo install cargo-deny --version "$CARGO_DENY" --locked --debug --no-default-features --root target/tools
}

# The components land in target/plugins/, where the host's build script embeds them from.
plugins() { components "${PLUGINS[@]}" "${ROGUES[@]}"; }

components() {
    need_wasm_target
    say "building the plugins"
    local packages=() entry
    for entry in "$@"; do packages+=(-p "${entry#*:}"); done
    cargo build --locked --profile plugin --target "$WASM_TARGET" "${packages[@]}"
    mkdir -p target/plugins
    for entry in "$@"; do
        local crate=${entry#*:}
        local built="$TARGET_DIR/$WASM_TARGET/plugin/${crate//-/_}.wasm"
        # Unchanged files keep their time, so that the host is not rebuilt for nothing.
        cmp -s "$built" "target/plugins/${entry%%:*}.wasm" || cp "$built" "target/plugins/${entry%%:*}.wasm"
    done
}

check() {
    plugins
    say "format"
    cargo fmt --all --check
    say "lints"
    cargo clippy --locked --workspace --all-targets -- -D warnings
    local packages=() entry
    for entry in "${PLUGINS[@]}"; do packages+=(-p "${entry#*:}"); done
    cargo clippy --locked --target "$WASM_TARGET" "${packages[@]}" -- -D warnings
    need_cargo_deny
    say "licences and sources of what is linked"
    cargo deny --all-features check bans licenses sources
}

# Runs the tests and closes with one line over all test programs.
tests() {
    need_test_packages
    need_schemathesis
    check
    say "tests"
    local log
    log=$(mktemp)
    local status=0
    # The end-to-end tests mostly wait, so more of them than there are processors run side by side.
    RUST_TEST_THREADS=${RUST_TEST_THREADS:-8} cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log" || status=$?
    local passed failed
    passed=$(awk '/^test result:/ { n += $4 } END { print n + 0 }' "$log")
    failed=$(awk '/^test result:/ { n += $6 } END { print n + 0 }' "$log")
    rm -f "$log"
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    return "$status"
}

run() {
    plugins
    say "building PiHook"
    cargo build --locked --release -p pihook
    say "starting on config/services.yaml (Ctrl-C stops it)"
    exec "$TARGET_DIR/release/pihook" run --config config/services.yaml "$@"
}

# What is shipped: a release whose linker lays the functions that a running daemon needs side by side, as
# host/hot-functions.txt names them. The kernel maps 16 pages around each one that is used, so that keeps 6 MiB out of memory.
dist() {
    plugins
    # These names tell the instances of a generic function apart without a hash.
    export RUSTFLAGS="${RUSTFLAGS-} -C symbol-mangling-version=v0"
    cargo build --locked --profile dist -p pihook "$@"
    local linker=() order="$TARGET_DIR/dist/hot-functions"
    case $(rustc -vV | sed -n 's/^host: //p') in
        x86_64-unknown-linux-gnu) ;; # rustc brings lld along
        *) command -v ld.lld >/dev/null || {
            say "no ld.lld here, so the functions stay as they are; on Debian: apt-get install lld"
            return
        }
        linker=(-C link-arg=-fuse-ld=lld) ;;
    esac
    say "laying the functions that are used side by side"
    python3 tests/bench/hot.py order "$TARGET_DIR/dist/pihook" host/hot-functions.txt >"$order"
    cargo rustc --locked --profile dist -p pihook --bin pihook -- "${linker[@]}" \
        -C "link-arg=-Wl,--symbol-ordering-file=$(realpath "$order")" -C link-arg=-Wl,--no-warn-symbol-ordering
    ls -l "$TARGET_DIR/dist/pihook"
}

bench() {
    dist -p pihook-bench
    "$TARGET_DIR/dist/wall"
    say "a simulated year, some minutes"
    "$TARGET_DIR/dist/year"
    say "the pages over a year of 500 services"
    "$TARGET_DIR/dist/pages"
    exec python3 tests/bench/bench.py "$TARGET_DIR/dist" "$@"
}

case "${1-}" in
    run) shift; run "$@" ;;
    test) tests ;;
    plugins) plugins ;;
    check) check ;;
    bench) shift; bench "$@" ;;
    dist) dist ;;
    "" | -h | --help | help) usage ;;
    *) usage >&2; exit 64 ;;
esac
