// SPDX-License-Identifier: MIT
#include "runtime/run/gpu.hpp"

#include <dirent.h>

#include <algorithm>
#include <span>

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using Names = std::span<const char* const>;

// What belongs to one maker of GPUs. Names are beginnings of names.
struct Driver {
  std::string_view option, maker;
  Names devices;      // in /dev
  Names libraries;    // those that talk to the kernel's part of the driver
  Names programs;     // in /usr/bin
  Names directories;  // where libraries lie, beside the usual places
};

constexpr const char* kNvDevices[] = {"nvidia", "dxg"};
constexpr const char* kNvLibraries[] = {
    "libcuda.so",     "libcudadebugger.so", "libnvidia-",      "libnvcuvid.so",    "libnvoptix.so",
    "libGLX_nvidia.", "libEGL_nvidia.",     "libGLESv1_CM_nv", "libGLESv2_nvidia", "libdxcore.so"};
constexpr const char* kNvPrograms[] = {"nvidia-smi", "nvidia-debugdump", "nvidia-persistenced",
                                       "nvidia-cuda-mps-"};
constexpr const char* kNvDirectories[] = {"/usr/local/nvidia/lib64", "/usr/lib/nvidia",
                                          "/usr/lib64/nvidia", "/usr/lib/wsl/lib",
                                          "/run/opengl-driver/lib"};
constexpr const char* kRocmDevices[] = {"kfd", "dri"};
constexpr const char* kRocmLibraries[] = {
    "libamdhip64.so",   "libhsa-runtime64.so", "libhsakmt.so",     "libamd_comgr.so", "libhiprtc",
    "librocm_smi64.so", "librocm-core.so",     "libdrm_amdgpu.so", "libdrm.so"};
constexpr const char* kRocmPrograms[] = {"rocm-smi", "rocminfo"};
constexpr const char* kRocmDirectories[] = {"/opt/rocm/lib", "/opt/rocm/lib64"};

constexpr Driver kNv = {"nv", "NVIDIA", kNvDevices, kNvLibraries, kNvPrograms, kNvDirectories};
constexpr Driver kRocm = {"rocm",         "AMD",         kRocmDevices,
                          kRocmLibraries, kRocmPrograms, kRocmDirectories};

// The usual places of libraries, by distribution and architecture.
constexpr const char* kLibraryDirectories[] = {
    "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"};

std::vector<std::string> names_in(const std::string& directory, Names beginnings) {
  std::vector<std::string> names;
  DIR* listing = ::opendir(directory.c_str());
  if (listing == nullptr) return names;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name = entry->d_name;
    if (std::any_of(beginnings.begin(), beginnings.end(),
                    [&](const char* beginning) { return name.starts_with(beginning); })) {
      names.push_back(name);
    }
  }
  ::closedir(listing);
  std::sort(names.begin(), names.end());
  return names;
}

class Gpu {
 public:
  Gpu(std::vector<sandbox::Place>& places, const Driver& driver)
      : places_(places), driver_(driver) {}

  Status add(const Caller& caller) {
    for (const std::string& name : names_in("/dev", driver_.devices)) {
      show("/dev/" + name, "/dev/" + name).devices = true;
      found_ = true;
    }
    if (!found_) {
      return plain_error("show the GPU", option_text(driver_.option),
                         "this host has no device of " + std::string(driver_.maker),
                         "leave it out here; the driver of the host makes /dev/" +
                             std::string(driver_.devices[0]) + "*");
    }
    // What a module system has chosen goes before what the host has anyway.
    std::string rest = caller.variable("LD_LIBRARY_PATH");
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      libraries(rest.substr(0, colon));
      rest.erase(0, std::min(colon + 1, rest.size()));
    }
    for (const char* directory : driver_.directories) libraries(directory);
    for (const char* directory : kLibraryDirectories) libraries(directory);
    for (const std::string& name : names_in("/usr/bin", driver_.programs)) {
      show("/usr/bin/" + name, joined(kDriverLibraries, "bin/" + name));
    }
    return Done{};
  }

 private:
  void libraries(const std::string& directory) {
    if (directory.empty() || directory[0] != '/') return;
    for (const std::string& name : names_in(directory, driver_.libraries)) {
      const std::string target = joined(kDriverLibraries, name);
      const bool known = std::any_of(places_.begin(), places_.end(),
                                     [&](const auto& place) { return place.target == target; });
      if (!known) show(joined(directory, name), target);
    }
  }

  sandbox::Place& show(const std::string& source, const std::string& target) {
    sandbox::Place place;
    place.source = source;
    place.target = target;
    place.optional = true;  // a link that leads nowhere
    places_.push_back(std::move(place));
    return places_.back();
  }

  std::vector<sandbox::Place>& places_;
  const Driver& driver_;
  bool found_ = false;
};

}  // namespace

Status add_gpus(std::vector<sandbox::Place>& places, const Options& options, const Caller& caller) {
  if (options.nv) TRY(Gpu(places, kNv).add(caller));
  if (options.rocm) TRY(Gpu(places, kRocm).add(caller));
  return Done{};
}

}  // namespace rootlet
