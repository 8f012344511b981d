// SPDX-License-Identifier: MIT
#include "runtime/run/desktop.hpp"

#include "runtime/run/paths.hpp"

namespace rootlet {
namespace {

using sandbox::Place;

// ":0", ":1.0", "unix:0": the display's socket; "" for one across a network.
std::string x11_socket(const std::string& display) {
  const std::size_t colon = display.rfind(':');
  const std::string host = display.substr(0, colon);
  if (colon == std::string::npos || (!host.empty() && host != "unix")) return "";
  const std::string rest = display.substr(colon + 1);
  const std::string number = rest.substr(0, rest.find_first_not_of("0123456789"));
  return number.empty() ? "" : "/tmp/.X11-unix/X" + number;
}

std::string wayland_socket(const Caller& caller) {
  const std::string name = caller.variable("WAYLAND_DISPLAY");
  const std::string runtime = caller.variable("XDG_RUNTIME_DIR");
  if (name.starts_with('/')) return name;
  return name.empty() || !runtime.starts_with('/') ? "" : joined(runtime, name);
}

// "unix:path=/run/user/1000/bus,guid=..."; abstract ones cannot be shown.
std::string bus_socket(const Caller& caller) {
  constexpr std::string_view kPath = "unix:path=";
  const std::string address = caller.variable("DBUS_SESSION_BUS_ADDRESS");
  if (address.starts_with(kPath)) {
    return address.substr(kPath.size(), address.find_first_of(",;") - kPath.size());
  }
  const std::string runtime = caller.variable("XDG_RUNTIME_DIR");
  return address.empty() && runtime.starts_with('/') ? joined(runtime, "bus") : "";
}

}  // namespace

Status add_desktop(std::vector<Place>& places, const Options& options, const Caller& caller) {
  if (!options.gui) return Done{};
  const std::string runtime = caller.variable("XDG_RUNTIME_DIR");
  if (runtime.starts_with('/')) {
    Place place;
    place.kind = Place::Kind::scratch;
    place.target = without_slash(runtime);
    place.mode = 0700;  // its users refuse another
    places.push_back(std::move(place));
  }
  bool found = false;
  const auto show = [&](const std::string& path, bool is_socket) {
    if (path.empty() || !exists(path)) return;
    Place place;
    place.source = place.target = path;
    places.push_back(std::move(place));
    found = found || is_socket;
  };
  show(x11_socket(caller.variable("DISPLAY")), true);
  show(wayland_socket(caller), true);
  show(bus_socket(caller), true);
  if (!found) {
    return plain_error("show the desktop", option_text("gui"),
                       "there is no socket of X11, Wayland or a session bus",
                       "set DISPLAY, WAYLAND_DISPLAY or DBUS_SESSION_BUS_ADDRESS, or leave it out");
  }
  const std::string authority = caller.variable("XAUTHORITY");
  show(authority.empty() && !caller.home.empty() ? joined(caller.home, ".Xauthority") : authority,
       false);
  if (exists("/dev/dri")) {
    show("/dev/dri", false);
    places.back().devices = true;
  }
  return Done{};
}

std::vector<std::string> desktop_variables(const Caller& caller) {
  std::vector<std::string> variables;
  for (const char* name : {"DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS",
                           "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE"}) {
    const std::string value = caller.variable(name);
    if (!value.empty()) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

}  // namespace rootlet
