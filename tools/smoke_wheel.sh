#!/usr/bin/env bash
# Build the wheel and try it from an environment that holds nothing else of rldf.
# The dependencies are borrowed from the environment that PYTHON belongs to, by a .pth file: such
# a folder's own .pth files do not count, so an editable rldf in it stays invisible.
set -euo pipefail

root="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-$root/.venv/bin/python}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$python" -m build --wheel --no-isolation --outdir "$work/dist" "$root" >"$work/build.log" ||
    { cat "$work/build.log" >&2; exit 1; }
"$python" -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --no-deps "$work"/dist/*.whl
borrowed="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
own="$("$work/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
echo "$borrowed" >"$own/borrowed.pth"

unset PYTHONPATH
cd "$work"
rldf="$work/env/bin/rldf"
"$rldf" --version
"$rldf" grammar list
"$work/env/bin/python" - "$own" <<'CHECK'
import sys
from rldf.models.model_sets import load_model_set, model_set_names
from rldf.io.resources import folder, names

assert all(str(folder(kind)).startswith(sys.argv[1]) for kind in ("grammars", "rewards")), "outside"
assert {"base", "paper", "pocket"} <= set(names("grammars")), "grammars are missing"
assert {"multi", "partial", "clip"} <= set(names("rewards")), "rewards are missing"
assert {"pocket", "sd14"} <= set(model_set_names()), "model sets are missing"
missing = load_model_set("pocket").missing()
assert not missing, f"model set pocket lacks {missing}"
CHECK
example="$(find "$root/examples" -name '*.png' | sort | head -n 1)"
"$rldf" search "$example" --models pocket --renders 8 --out "$work/run" --json >"$work/result.json"
"$work/env/bin/python" -m json.tool "$work/result.json" >/dev/null
echo "the wheel works: $(basename "$work"/dist/*.whl), $(du -h "$work"/dist/*.whl | cut -f1)"
