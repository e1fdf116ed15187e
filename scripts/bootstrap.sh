#!/usr/bin/env bash
# Prepare this checkout: virtual environment, locked packages, system packages as far as permitted.
# Usage: scripts/bootstrap.sh run|test|bench
# Stamp files in .venv hold the checksum of what was done, so that a second call has nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
case $purpose in
  run) lock=requirements.lock ;;
  test) lock=requirements-dev.lock ;;
  bench) lock=requirements-bench.lock ;;
  *) echo "用法：scripts/bootstrap.sh run|test|bench" >&2; exit 2 ;;
esac

venv=.venv
say() { echo "[准备] $*" >&2; }
die() { echo "[准备] 错误：$*" >&2; exit 1; }

# ---- what the system lets us do -------------------------------------------------------------------------------------
as_root=()
may_install() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" -eq 0 ] && return 0
  command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
  as_root=(sudo -n)
}

updated=
apt_install() { # one package at a time: a name unknown to this release must not keep the others out
  may_install || return 1
  if [ -z "$updated" ]; then
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
    updated=1
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1
}

# ---- virtual environment --------------------------------------------------------------------------------------------
find_python() {
  local name
  for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return 0
    fi
  done
  return 1
}

works() { "$venv/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

make_venv() {
  local python version
  python=$(find_python) || { apt_install python3 && python=$(find_python); } \
    || die "需要 Python 3.11 或更高版本，请先安装（例：apt-get install python3 python3-venv）。"
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  say "建立虚拟环境（Python $version）……"
  rm -rf "$venv"
  "$python" -m venv "$venv" >/dev/null 2>&1 && works && return 0
  rm -rf "$venv"
  say "系统缺少 python3-venv，尝试安装……"
  { apt_install "python$version-venv" || apt_install python3-venv; } || true
  "$python" -m venv "$venv" >/dev/null 2>&1 && works && return 0
  rm -rf "$venv"
  "$python" -m virtualenv -q "$venv" >/dev/null 2>&1 && works && return 0
  rm -rf "$venv"
  "$python" -m venv --without-pip "$venv" >/dev/null 2>&1 \
    && "$python" -m pip --python "$venv/bin/python" install -q pip >/dev/null 2>&1 && works && return 0
  rm -rf "$venv"
  die "无法建立虚拟环境。请用管理员执行：apt-get install python$version-venv，然后重试。"
}

# ---- locked packages ------------------------------------------------------------------------------------------------
stamp_of() { { cat "$1"; "$venv/bin/python" -V; } | sha256sum | cut -d' ' -f1; }

# The stamp names the version that Python itself tells, so a stamp that agrees comes from an environment that works.
is_installed() { [ "$(stamp_of "$lock" 2>/dev/null)" = "$(cat "$venv/.installed-${lock%.lock}" 2>/dev/null)" ]; }

install_lock() {
  say "安装 $lock 锁定的依赖包（首次约需一两分钟）……"
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock" \
    || die "依赖包安装失败，请检查网络或软件包镜像设置后重试。"
  rm -f "$venv"/.installed-* # the locks agree with one another, but only the last one is certain to be complete
  case $lock in # a larger lock contains the smaller ones
    requirements-bench.lock) set -- requirements.lock requirements-dev.lock requirements-bench.lock ;;
    requirements-dev.lock) set -- requirements.lock requirements-dev.lock ;;
    *) set -- requirements.lock ;;
  esac
  local done_lock
  for done_lock in "$@"; do stamp_of "$done_lock" >"$venv/.installed-${done_lock%.lock}"; done
}

# ---- byte code ------------------------------------------------------------------------------------------------------
# Once here rather than at every start: where PYTHONDONTWRITEBYTECODE is set, Python keeps nothing of what it compiles.
compile_sources() {
  local sources=(app config.py models reports run.py views workflows) stamp=app/__pycache__/.compiled
  if [ "$stamp" -nt "$venv/.installed-${lock%.lock}" ] \
    && [ -z "$(find "${sources[@]}" -name '*.py' -newer "$stamp" -print -quit)" ]; then return 0; fi
  if "$venv/bin/python" -m compileall -q "${sources[@]}" >/dev/null 2>&1; then touch "$stamp"; fi
}

# ---- system packages ------------------------------------------------------------------------------------------------
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p 2>/dev/null | grep -q "$1"; }
has_chinese_font() {
  if command -v fc-list >/dev/null; then [ -n "$(fc-list :lang=zh family 2>/dev/null | head -n 1)" ]; else
    ls /usr/share/fonts/opentype/noto/*CJK* /usr/share/fonts/truetype/wqy/* >/dev/null 2>&1
  fi
}
has_browser() {
  command -v chromium >/dev/null || command -v google-chrome >/dev/null \
    || ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-*/*/chrome >/dev/null 2>&1
}
# Releases that ship chromium only as a snap: playwright brings its own.
fetch_browser() {
  has_browser && return 0
  if [ -f "$system_stamp" ] || ! may_install; then return 0; fi
  say "系统软件源没有 chromium，改由 playwright 安装……"
  timeout 300 "$venv/bin/playwright" install --with-deps chromium >/dev/null 2>&1 || true
}

# need <check> <what for> <package>...: the first package that can be installed will do
missing=()
need() {
  local check=$1 purpose_text=$2 package
  shift 2
  $check && return 0
  if [ ! -f "$system_stamp" ] && may_install; then # tried once per environment: without a network each try would cost half a minute
    for package in "$@"; do
      say "安装系统软件包 $package……"
      if apt_install "$package" && $check; then return 0; fi
    done
  fi
  missing+=("$1（$purpose_text）")
}
has_wkhtmltopdf() { command -v wkhtmltopdf >/dev/null; }
has_pango() { has_library libpango-1.0.so.0; }
has_pangoft2() { has_library libpangoft2-1.0.so.0; }
has_subset() { has_library libharfbuzz-subset.so.0; }

system_packages() {
  system_stamp="$venv/.system-$1"
  need has_chinese_font "PDF 与图表中的中文字体" fonts-noto-cjk fonts-wqy-microhei
  need has_pango "合同、报告等 PDF 排版" libpango-1.0-0
  need has_pangoft2 "合同、报告等 PDF 排版" libpangoft2-1.0-0
  need has_subset "PDF 字体子集，减小文件" libharfbuzz-subset0
  need has_wkhtmltopdf "单页函件 PDF，缺少时自动改用内置引擎" wkhtmltopdf
  if [ "$1" != run ]; then
    has_browser || { [ ! -f "$system_stamp" ] && apt_install chromium && has_browser; } || fetch_browser
    has_browser || missing+=("chromium（浏览器测试）")
  fi
  if [ ! -f "$system_stamp" ] && may_install; then touch "$system_stamp"; fi
  if [ ${#missing[@]} -gt 0 ]; then
    say "下列系统软件包没有安装，相关功能会受影响，其余功能照常："
    local item
    for item in "${missing[@]}"; do say "  - $item"; done
    say "有管理员权限时可执行：apt-get install 软件包名；装好后无需其他设置。"
  fi
}

is_installed || { works || make_venv; install_lock; }
compile_sources
system_packages "$purpose"
