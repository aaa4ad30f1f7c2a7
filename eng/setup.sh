# Shell functions that ./polder and ./x share: what a fresh machine lacks is installed by Debian's name where that is
# allowed, and otherwise named together with the one command that brings it. Messages go to standard error.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=1

say() { printf '%s\n' "$*" >&2; }

# The SDK may sit in a home folder that is not on PATH, as its own installer leaves it.
need_sdk() {
    if ! command -v dotnet >/dev/null 2>&1 && [ -x "${HOME:-/nonexistent}/.dotnet/dotnet" ]; then
        export DOTNET_ROOT="$HOME/.dotnet" PATH="$HOME/.dotnet:$PATH"
    fi
    if ! command -v dotnet >/dev/null 2>&1; then
        say "Polder is built with the .NET 10 SDK, and there is none here. This command brings it:"
        say "    curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
        say "Then run the same command again."
        exit 1
    fi
    case "$(dotnet --list-sdks 2>/dev/null)" in
        10.*|*"
10."*) ;;
        *)
            say "Polder needs the .NET SDK 10; $(command -v dotnet) has only: $(dotnet --list-sdks 2>/dev/null | cut -d' ' -f1 | tr '\n' ' ')"
            say "    curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
            exit 1 ;;
    esac
}

# apt_install PACKAGE… : installs Debian packages as root, through sudo where that asks nothing, or says no by its exit code.
apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root="sudo -n"
    fi
    log=$(mktemp)
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >"$log" 2>&1; then
        # The list of packages is old or empty on a new machine: bring it, then once more.
        $as_root apt-get -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || true
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >"$log" 2>&1 ||
            { tail -n 3 "$log" >&2; rm -f "$log"; return 1; }
    fi
    rm -f "$log"
}

# need_library NAME DEBIAN-PACKAGE : a shared library of the system.
need_library() {
    [ "$(uname -s)" = Linux ] || return 0
    for folder in /usr/lib/*-linux-gnu* /lib/*-linux-gnu* /usr/lib64 /usr/lib /lib64 /usr/local/lib; do
        for file in "$folder/$1".so*; do [ -e "$file" ] && return 0; done
    done
    say "Polder needs $1; installing Debian's package $2 …"
    apt_install "$2" && return 0
    say "It could not be installed from here. Type this, then run the same command again:"
    say "    sudo apt-get install $2"
    exit 1
}

# build_polder ROOT : publishes the program into ROOT/.build unless what is there is newer than every source.
# A running node keeps the folder that it was started from; .build/polder is a link to the newest one.
build_polder() {
    stamp="$1/.build/polder/built"
    if [ -e "$stamp" ]; then
        changed=$(find "$1/src" "$1/bench" "$1/Directory.Build.props" "$1/Directory.Packages.props" \
            \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print 2>/dev/null | head -n 1)
        [ -z "$changed" ] && return 0
        say "The sources changed; building Polder …"
    else
        say "Building Polder, this once: a minute or two …"
    fi
    mkdir -p "$1/.build"
    # Two commands typed at once: the second waits for the first and uses its result.
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$1/.build/lock"
        flock 9
        if [ -e "$stamp" ] && [ -z "$(find "$1/src" "$1/bench" \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print | head -n 1)" ]; then
            exec 9>&-
            return 0
        fi
    fi
    out=".build/polder-$(date +%s)-$$"
    started=$(mktemp "$1/.build/started.XXXXXX")
    common="-c Release -v quiet --nologo -p:RunAnalyzers=false -p:GenerateDocumentationFile=false -p:TreatWarningsAsErrors=false"
    # Compiled ahead where the compiler for that is to be had: the page is there a second sooner.
    ahead=""
    [ "$(uname -sm)" = "Linux x86_64" ] && ahead="-r linux-x64 --self-contained false -p:PublishReadyToRun=true"
    log="$1/.build/build.log"
    # shellcheck disable=SC2086
    if ! { [ -n "$ahead" ] && dotnet publish "$1/src/Polder.Host" $common $ahead -o "$1/$out" >"$log" 2>&1; } &&
       ! dotnet publish "$1/src/Polder.Host" $common -o "$1/$out" >"$log" 2>&1; then
        grep -E 'error|Error' "$log" | sort -u | head -n 5 >&2
        say "The build failed; all it said is in .build/build.log"
        rm -f "$started"
        exit 1
    fi
    mv "$started" "$1/$out/built"
    ln -sfn "${out#.build/}" "$1/.build/polder.new"
    mv -T "$1/.build/polder.new" "$1/.build/polder" 2>/dev/null || ln -sfn "${out#.build/}" "$1/.build/polder"
    # Keep this build and the one before it, from which a node may still be running.
    find "$1/.build" -maxdepth 1 -type d -name 'polder-*' | sort -r | tail -n +3 | xargs -r rm -rf
    if command -v flock >/dev/null 2>&1; then exec 9>&-; fi
    return 0
}
