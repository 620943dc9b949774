#!/bin/bash -eu
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite ask for it: CC, CXX, CFLAGS, CXXFLAGS and LIB_FUZZING_ENGINE say how, SRC where from,
# WORK where to work, OUT where to. The compilers and all sanitizers are theirs. Run by scripts/test-fleet without a container.
source=$SRC/hitless
build=$WORK/hitless

# Each libFuzzer target becomes one of OUT; fuzz_afl has AFL++'s own main, which OSS-Fuzz's engine brings itself.
cmake -G Ninja -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=None -DHITLESS_INVARIANTS=ON -DHITLESS_TESTS=OFF -DHITLESS_LIBFUZZER=ON -DHITLESS_FLEET=ON \
	"-DHITLESS_FUZZING_ENGINE=$LIB_FUZZING_ENGINE"
cmake --build "$build"

# The seeds in the binary form, by the converter of the same build. No profile of it is wanted in a coverage build.
export LLVM_PROFILE_FILE=/dev/null
seeds=$WORK/seeds
rm -rf "$seeds"
mkdir -p "$seeds/binary" "$seeds/text"
for trace in "$source"/corpus/seeds/*.trace "$source"/corpus/regressions/*.trace; do
	name=$(basename "$trace" .trace)
	"$build/hitless" convert "$trace" -o "$seeds/binary/$name"
	cp "$trace" "$seeds/text/$name"
done

for target in "$build"/fuzz_*; do
	[[ -f $target && -x $target ]] || continue
	name=$(basename "$target") pattern='*' form=binary
	case $name in
	fuzz_ops) ;;
	fuzz_text) form=text ;;
	fuzz_walk) form='' ;; # table bytes: no seeds
	fuzz_*) pattern="${name#fuzz_}-*" ;;
	esac
	cp "$target" "$OUT/"
	cp "$source/.clusterfuzzlite/fuzz.options" "$OUT/$name.options"
	[[ $form != text ]] || cp "$source/.clusterfuzzlite/text.dict" "$OUT/$name.dict"
	[[ $form != binary ]] || cp "$source/.clusterfuzzlite/binary.dict" "$OUT/$name.dict"
	[[ ! $form ]] || (cd "$seeds/$form" && find . -maxdepth 1 -type f -name "$pattern" -print0 | sort -z | xargs -0 -r zip -q "$OUT/${name}_seed_corpus.zip")
done
