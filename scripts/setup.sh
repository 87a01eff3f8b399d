#!/usr/bin/env bash
# Installs what building mcvol needs on a fresh Debian 12 or Ubuntu 24.04. Can be run again at any
# time; a second run finds everything there and changes nothing.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/setup.sh [--gpu | --no-gpu] [--libtorch DIR] [--skip-packages] [--dev]
                        [--tests]

Installs the system packages mcvol is built with (apt-get, through sudo where not root), then puts
LibTorch into .deps/libtorch beside this checkout. Nothing else on the machine is changed.

  --gpu            fetch the CUDA libraries too (2.5 GB more; default: only where the NVIDIA driver
                   is 580 or newer)
  --no-gpu         do not fetch them
  --libtorch DIR   use the LibTorch in DIR instead of fetching one: a folder that holds torch/lib/
                   (such as a site-packages folder) or lib/ (an unpacked LibTorch archive).
                   The variable MCVOL_LIBTORCH_DIR says the same.
  --skip-packages  leave the system packages alone (installed by other means, no rights to do so)
  --dev            install clang-format and clang-tidy as well
  --tests          fetch the Python packages that the tests of scripts/ need into .deps/python, and
                   the BIDS validator (120 MB) into .deps/bids-validator
TEXT
}

kRoot="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly kRoot
readonly kDeps="$kRoot/.deps"
readonly kLibTorch="$kDeps/libtorch"
readonly kStaging="$kDeps/libtorch.partial"
readonly kOld="$kDeps/libtorch.old"
readonly kRequirements="$kRoot/scripts/libtorch-requirements.txt"
readonly kGpuRequirements="$kRoot/scripts/libtorch-requirements-gpu.txt"
# CUDA 13, which the pinned LibTorch is built with, needs this driver.
readonly kLeastDriver=580
# Wheels and unpacked files lie side by side for a moment.
readonly kCpuDiskMb=2500
readonly kGpuDiskMb=5500

readonly kPackages=(
  g++ cmake ninja-build ccache git ca-certificates
  libinsighttoolkit5-dev libcli11-dev libspdlog-dev libtomlplusplus-dev libeigen3-dev libboost-dev nlohmann-json3-dev
  libgtest-dev libbenchmark-dev libvalijson-dev libssl-dev zlib1g-dev libpng-dev)
readonly kPython="$kDeps/python"
readonly kPythonRequirements="$kRoot/scripts/phantoms/requirements.txt"
readonly kValidator="$kDeps/bids-validator"
readonly kValidatorRequirements="$kRoot/scripts/bids-validator-requirements.txt"
readonly kDevPackages=(clang-format-14 clang-tidy-14)

say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

gpu=auto
libtorch="${MCVOL_LIBTORCH_DIR:-}"
skip_packages=no
dev=no
tests=no

parse_options() {
  while (($#)); do
    case "$1" in
      --gpu) gpu=yes ;;
      --no-gpu) gpu=no ;;
      --libtorch)
        (($# > 1)) || fail "--libtorch needs a folder"
        libtorch="$2"
        shift
        ;;
      --libtorch=*) libtorch="${1#*=}" ;;
      --skip-packages) skip_packages=yes ;;
      --dev) dev=yes ;;
      --tests) tests=yes ;;
      -h | --help)
        usage
        exit 0
        ;;
      *)
        usage >&2
        fail "unknown option '$1'"
        ;;
    esac
    shift
  done
}

# --- system packages ------------------------------------------------------------------------------

# os_release <KEY>: what /etc/os-release says of it.
os_release() { sed -n "s/^$1=\"\?\([^\"]*\)\"\?$/\1/p" /etc/os-release 2>/dev/null || true; }

check_system() {
  local id version name
  id="$(os_release ID)"
  version="$(os_release VERSION_ID)"
  name="$(os_release PRETTY_NAME)"
  if ! command -v apt-get >/dev/null; then
    fail "no apt-get on this system ($name); the package names known are those of Debian 12 and" \
      "Ubuntu 24.04. Install their counterparts (${kPackages[*]}) and give --skip-packages."
  fi
  case "$id-$version" in
    debian-12 | ubuntu-24.04) ;;
    *) say "$name is not among the systems this was written for (Debian 12, Ubuntu 24.04); trying" ;;
  esac
}

# Prints those of the packages named that are not installed.
missing_packages() {
  local installed package
  installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)"
  for package; do
    grep -qxF "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Prints a Python that has pip; nothing where there is none.
python_with_pip() {
  local python
  for python in python3 /usr/bin/python3; do
    if command -v "$python" >/dev/null && "$python" -m pip --version >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return
    fi
  done
}

install_packages() {
  local wanted=("${kPackages[@]}") missing by_hand as_root=()
  [[ $dev == no ]] || wanted+=("${kDevPackages[@]}")
  # pip downloads the wheels: it knows the index or mirror this machine uses.
  if { [[ -z $libtorch ]] && ! libtorch_is_complete; } || { [[ $tests == yes ]] && ! has_python; }; then
    [[ -n $(python_with_pip) ]] || wanted+=(python3-pip)
  fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if ((${#missing[@]} == 0)); then
    say "system packages: all ${#wanted[@]} are installed"
    return
  fi
  by_hand="apt-get install --no-install-recommends ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "packages are missing, and this is neither root nor a system with sudo;" \
        "ask an administrator for: $by_hand"
    as_root=(sudo)
  fi
  say "system packages: installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update ||
    fail "apt-get update failed (above), nothing was installed; an administrator could: $by_hand"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get install failed (above); run scripts/setup.sh again once that is mended"
}

# --- LibTorch -------------------------------------------------------------------------------------

hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# has_part cpu|gpu: whether .deps/libtorch holds what that requirements file pins today.
has_part() {
  local file="$kRequirements"
  [[ $1 == cpu ]] || file="$kGpuRequirements"
  [[ -f $kLibTorch/.$1 && $(<"$kLibTorch/.$1") == "$(hash_of "$file")" ]]
}

libtorch_is_complete() {
  [[ -L $kLibTorch ]] || { has_part cpu && { [[ $gpu != yes ]] || has_part gpu; }; }
}

# Prints the major version of the NVIDIA driver; nothing where there is none.
driver_version() {
  local version=''
  if command -v nvidia-smi >/dev/null; then
    version="$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null |
      head -n 1 || true)"
  fi
  if [[ ! $version =~ ^[0-9]+\. && -r /proc/driver/nvidia/version ]]; then
    version="$(grep -oE '[0-9]{3,}\.[0-9.]+' /proc/driver/nvidia/version | head -n 1 || true)"
  fi
  [[ ! $version =~ ^([0-9]+)\. ]] || printf '%s\n' "${BASH_REMATCH[1]}"
}

# Turns gpu=auto into yes or no, and says why.
decide_gpu() {
  [[ $gpu == auto ]] || return 0
  local driver
  driver="$(driver_version)"
  gpu=no
  if [[ -z $driver ]]; then
    say "GPU: no NVIDIA driver found, so none of the CUDA libraries (--gpu fetches them all the same)"
  elif ((driver < kLeastDriver)); then
    say "GPU: the NVIDIA driver is $driver, the CUDA libraries need $kLeastDriver or newer: CPU only"
  else
    say "GPU: NVIDIA driver $driver, so the CUDA libraries too (--no-gpu leaves them out)"
    gpu=yes
  fi
}

check_disk() {
  local needed_mb="$1" free_mb
  free_mb="$(df -Pm "$kDeps" | awk 'NR == 2 {print $4}')"
  ((free_mb >= needed_mb)) ||
    fail "$kDeps: LibTorch needs $needed_mb MB for a moment, $free_mb MB are free; make room"
}

# fetch <requirements file>: downloads its wheels and unpacks them into the staging folder.
fetch() {
  local python platform platforms=() wheel parts
  python="$(python_with_pip)"
  [[ -n $python ]] || fail "no Python 3 with pip, which downloads the wheels; install python3-pip"
  for platform in manylinux_2_28 manylinux_2_27 manylinux_2_25 manylinux_2_18 manylinux_2_17 \
    manylinux_2_12 manylinux_2_5 manylinux2014 manylinux2010 manylinux1; do
    platforms+=(--platform "${platform}_x86_64")
  done
  # Old pips keep a whole wheel in memory in order to cache it.
  "$python" -m pip --disable-pip-version-check --no-cache-dir --no-input download \
    --require-hashes --no-deps --only-binary=:all: "${platforms[@]}" \
    --python-version 3.11 --implementation cp --abi cp311 \
    --dest "$kStaging/wheels" --requirement "$1" ||
    fail "pip could not download the wheels pinned in ${1#"$kRoot"/} (above)"
  for wheel in "$kStaging"/wheels/*.whl; do
    parts=()
    # All but the Python code.
    [[ $wheel != */torch-* ]] || parts=(torch/lib torch/include '*.dist-info/licenses')
    (cd "$kStaging" && cmake -E tar xf "$wheel" "${parts[@]}") ||
      fail "could not unpack $(basename "$wheel") (above)"
    rm "$wheel"
  done
  rmdir "$kStaging/wheels"
}

# put_in_place <folder or link>: makes it .deps/libtorch. Nothing is deleted under that name, so a
# run that is killed leaves the old one, the new one or none, never a part.
put_in_place() {
  if [[ -e $kLibTorch || -L $kLibTorch ]]; then
    mv -T "$kLibTorch" "$kOld"
  fi
  mv -T "$1" "$kLibTorch"
  rm -rf "$kOld"
}

# Everything is put together in a staging folder and moved into place whole.
fetch_libtorch() {
  local started=$SECONDS gpu_mb=0 libraries=(libtorch_cpu.so) unresolved
  [[ $gpu == no ]] || gpu_mb=$kGpuDiskMb
  rm -rf "$kStaging" "$kOld"
  mkdir "$kStaging"
  trap 'rm -rf "$kStaging"' EXIT
  if has_part cpu && [[ ! -f $kLibTorch/.gpu ]]; then
    check_disk "$kGpuDiskMb"
    cp -al "$kLibTorch/." "$kStaging/"
  else
    check_disk $((kCpuDiskMb + gpu_mb))
    say "LibTorch: fetching the wheels in scripts/libtorch-requirements.txt (530 MB)"
    fetch "$kRequirements"
    hash_of "$kRequirements" >"$kStaging/.cpu"
  fi
  if [[ $gpu == yes ]]; then
    say "LibTorch: fetching the wheels in scripts/libtorch-requirements-gpu.txt (2 GB)"
    fetch "$kGpuRequirements"
    hash_of "$kGpuRequirements" >"$kStaging/.gpu"
    libraries+=(libtorch_cuda.so)
  fi
  unresolved="$(ldd "${libraries[@]/#/$kStaging/torch/lib/}" | grep 'not found' || true)"
  [[ -z $unresolved ]] || fail "the unpacked LibTorch misses libraries: $unresolved"
  put_in_place "$kStaging"
  say "LibTorch: ready in .deps/libtorch ($(du -sh "$kLibTorch" | cut -f 1), $((SECONDS - started)) s)"
}

link_libtorch() {
  local folder
  folder="$(cd "$libtorch" 2>/dev/null && pwd)" || fail "--libtorch $libtorch: no such folder"
  [[ -f $folder/torch/lib/libtorch_cpu.so || -f $folder/lib/libtorch_cpu.so ]] ||
    fail "--libtorch $libtorch: holds neither torch/lib/libtorch_cpu.so nor lib/libtorch_cpu.so"
  if [[ -L $kLibTorch && $(readlink "$kLibTorch") == "$folder" ]]; then
    say "LibTorch: .deps/libtorch is $folder already"
    return
  fi
  rm -rf "$kStaging" "$kOld"
  ln -s "$folder" "$kStaging"
  put_in_place "$kStaging"
  say "LibTorch: .deps/libtorch is now $folder"
}

install_libtorch() {
  mkdir -p "$kDeps"
  exec 9>"$kDeps/.lock"
  flock -n 9 || { say "another set-up of this checkout is at work; waiting" && flock 9; }
  if [[ -n $libtorch ]]; then
    link_libtorch
  elif [[ -L $kLibTorch ]]; then
    [[ -e $kLibTorch ]] || fail ".deps/libtorch leads nowhere; remove it, or give --libtorch DIR"
    say "LibTorch: as given before, $(readlink "$kLibTorch") (remove .deps/libtorch for the pinned one)"
  elif libtorch_is_complete; then
    say "LibTorch: .deps/libtorch is up to date"
  else
    fetch_libtorch
  fi
}

# --- Python packages of the tests -----------------------------------------------------------------

# Prints a Python with pip that is new enough for the packages pinned; nothing where there is none.
python_for_tests() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
      "$python" -m pip --version >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return
    fi
  done
}

has_python() {
  [[ -f $kPython/.done && $(<"$kPython/.done") == "$(hash_of "$kPythonRequirements")" ]] &&
    PYTHONPATH="$kPython" "$(<"$kPython/.interpreter")" -c 'import numpy, scipy, nibabel' 2>/dev/null
}

# A plain folder for PYTHONPATH, not a virtual environment: that would need one more system package.
# Without it those tests are skipped, and say so: no reason to stop here.
install_python() {
  if has_python; then
    say "Python packages of the tests: .deps/python is up to date"
    return
  fi
  install_wheels "Python packages of the tests" "$kPython" "$kPythonRequirements" "60 MB" \
    "those tests will be skipped"
}

install_validator() {
  if [[ -f $kValidator/.done && $(<"$kValidator/.done") == "$(hash_of "$kValidatorRequirements")" ]]; then
    say "BIDS validator: .deps/bids-validator is up to date"
    return
  fi
  install_wheels "BIDS validator" "$kValidator" "$kValidatorRequirements" "46 MB" \
    "its test will be skipped" --require-hashes --no-deps
}

# install_wheels NAME FOLDER REQUIREMENTS SIZE SKIPPED [PIP OPTIONS]: what tests need beside the program.
# Where it cannot be had they are skipped, and say so.
install_wheels() {
  local name="$1" folder="$2" requirements="$3" size="$4" skipped="$5" python
  shift 5
  python="$(python_for_tests)"
  if [[ -z $python ]]; then
    say "$name: no Python 3.11 or newer with pip; $skipped"
    return
  fi
  say "$name: fetching the wheels in ${requirements#"$PWD/"} ($size)"
  rm -rf "$folder" "$folder.partial"
  if ! "$python" -m pip --disable-pip-version-check --no-cache-dir --no-input --quiet \
    install --root-user-action=ignore "$@" \
    --only-binary=:all: --target "$folder.partial" --requirement "$requirements"; then
    rm -rf "$folder.partial"
    say "$name: pip could not install it (above); $skipped"
    return
  fi
  # Compiled parts fit this Python only; the tests run with it.
  "$python" -c 'import sys; print(sys.executable)' >"$folder.partial/.interpreter"
  hash_of "$requirements" >"$folder.partial/.done"
  mv -T "$folder.partial" "$folder"
}

parse_options "$@"
[[ $(uname -s) == Linux ]] || fail "mcvol runs on Linux, this is $(uname -s); use a Linux machine or container"
[[ -n $libtorch || -L $kLibTorch || $(uname -m) == x86_64 ]] ||
  fail "the pinned LibTorch is for x86_64, this machine is $(uname -m); give --libtorch DIR"
[[ $skip_packages == yes ]] || check_system
[[ -n $libtorch || -L $kLibTorch ]] || decide_gpu
[[ $skip_packages == yes ]] || install_packages
install_libtorch
[[ $tests == no ]] || install_python
[[ $tests == no ]] || install_validator
say "done"
