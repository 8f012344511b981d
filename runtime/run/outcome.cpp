// SPDX-License-Identifier: MIT
#include "runtime/run/outcome.hpp"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace rootlet {

std::string bounded(std::string text, std::size_t most) {
  while (json_string(text).size() > most) text.resize(text.size() / 2);
  return text;
}

void tell_end(JsonText& json, int wait_status) {
  if (!WIFSIGNALED(wait_status)) {
    json.number("code", WEXITSTATUS(wait_status)).null("signal").null("signal_name");
    return;
  }
  const char* name = ::sigabbrev_np(WTERMSIG(wait_status));
  json.null("code").number("signal", WTERMSIG(wait_status));
  json.text("signal_name", name != nullptr ? std::string("SIG") + name : "");
}

void tell_error(JsonText& json, const Error& error, std::size_t most) {
  json.text("action", error.action).text("subject", bounded(error.subject, most));
  json.text("reason", bounded(error.explanation(), most));
  if (error.code != 0) {
    json.number("errno", error.code).text("errno_name", errno_name(error.code));
  } else {
    json.null("errno").null("errno_name");
  }
  json.text("hint", bounded(error.hint, most));
}

}  // namespace rootlet
