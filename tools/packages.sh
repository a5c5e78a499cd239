# Lists of distribution packages (Debian 12, Ubuntu 24.04), sourced by the scripts beside it.
ty_build_packages=(g++ cmake ninja-build pkg-config libopenmpi-dev openmpi-bin
  libopenblas-openmp-dev libdnnl-dev libhwy-dev libyaml-cpp-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  librandom123-dev libxxhash-dev libprotobuf-dev protobuf-compiler)
ty_test_packages=(libgtest-dev clang-format-14 git)
ty_corpus_packages=(bible-kjv)
