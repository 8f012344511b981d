// SPDX-License-Identifier: MIT
#include "runtime/policy/policy.hpp"

namespace rootlet {
namespace {

// magic[8] version:u32 bytes:u32, then records: tag:u16 flags:u16 length:u32
// payload. All integers little-endian.
constexpr std::string_view kMagic = "RLPOLICY";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeader = 16;
constexpr std::size_t kMaximumRecords = 4096;
constexpr std::uint16_t kSkippable = 1;

enum Tag : std::uint16_t {
  kName = 1,
  kToolVersion,
  kLicence,
  kUrl,
  kEntrypoint,
  kArgument,
  kCommand,
  kDispatch,
  kWorkdir,
  kEnv,
  kSelftest,
  kIsolation,
  kLocked,
  kData,
  kOwnAppRun,
  kRules,
  kBase,
};

void put_int(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::uint64_t get_int(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void put_record(std::string& out, Tag tag, std::string_view payload) {
  put_int(out, tag, 2);
  put_int(out, 0, 2);
  put_int(out, payload.size(), 4);
  out += payload;
}

void put_text(std::string& out, Tag tag, const std::string& text) {
  if (!text.empty()) put_record(out, tag, text);
}

void put_list(std::string& out, Tag tag, const std::vector<std::string>& list) {
  for (const std::string& item : list) put_record(out, tag, item);
}

// Two texts in one record, split by a NUL (which neither may contain).
void put_pair(std::string& out, Tag tag, const std::string& first, const std::string& second) {
  put_record(out, tag, first + '\0' + second);
}

Error malformed(std::string_view reason) {
  return plain_error("read the policy", "/" + std::string(kPolicyPath), reason,
                     "the image is damaged, or was made by a newer rootlet");
}

Result<std::pair<std::string, std::string>> split_pair(std::string_view payload) {
  const std::size_t nul = payload.find('\0');
  if (nul == std::string_view::npos) return malformed("a record lacks its second part");
  return std::pair{std::string(payload.substr(0, nul)), std::string(payload.substr(nul + 1))};
}

Result<Policy::Data> read_data(std::string_view payload) {
  if (payload.size() < 9) return malformed("a data record is too short");
  Policy::Data data;
  data.size = get_int(payload.substr(0, 8));
  data.required = payload[8] != 0;
  auto [name, rest] = TRY(split_pair(payload.substr(9)));
  auto [path, digest] = TRY(split_pair(rest));
  data.name = std::move(name);
  data.path = std::move(path);
  data.digest = std::move(digest);
  return data;
}

Status read_record(Policy& policy, std::uint16_t tag, bool skippable, std::string_view payload) {
  const std::string text(payload);
  switch (tag) {
    case kName: policy.name = text; break;
    case kToolVersion: policy.version = text; break;
    case kLicence: policy.licence = text; break;
    case kUrl: policy.url = text; break;
    case kEntrypoint: policy.entrypoint.push_back(text); break;
    case kArgument: policy.arguments.push_back(text); break;
    case kCommand: policy.commands.push_back(TRY(split_pair(payload))); break;
    case kDispatch: policy.dispatch = text; break;
    case kWorkdir: policy.workdir = text; break;
    case kEnv: policy.env.push_back(text); break;
    case kSelftest: policy.selftest.push_back(text); break;
    case kIsolation: policy.isolation.push_back(TRY(split_pair(payload))); break;
    case kLocked: policy.locked.push_back(text); break;
    case kData: policy.data.push_back(TRY(read_data(payload))); break;
    case kRules: policy.rules = text; break;
    case kBase: {
      auto [name, digest] = TRY(split_pair(payload));
      policy.base = {std::move(name), std::move(digest)};
      break;
    }
    case kOwnAppRun: policy.own_apprun = true; break;
    default:
      if (!skippable) return malformed("a record of unknown kind");
  }
  return Done{};
}

}  // namespace

std::string encode_policy(const Policy& policy) {
  std::string records;
  put_text(records, kName, policy.name);
  put_text(records, kToolVersion, policy.version);
  put_text(records, kLicence, policy.licence);
  put_text(records, kUrl, policy.url);
  put_list(records, kEntrypoint, policy.entrypoint);
  put_list(records, kArgument, policy.arguments);
  for (const auto& [name, path] : policy.commands) put_pair(records, kCommand, name, path);
  put_text(records, kDispatch, policy.dispatch);
  put_text(records, kWorkdir, policy.workdir);
  put_list(records, kEnv, policy.env);
  put_list(records, kSelftest, policy.selftest);
  for (const auto& [option, value] : policy.isolation) {
    put_pair(records, kIsolation, option, value);
  }
  put_list(records, kLocked, policy.locked);
  put_text(records, kRules, policy.rules);
  for (const Policy::Data& data : policy.data) {
    std::string payload;
    put_int(payload, data.size, 8);
    payload += data.required ? '\1' : '\0';
    payload += data.name + '\0' + data.path + '\0' + data.digest;
    put_record(records, kData, payload);
  }
  if (!policy.base.name.empty()) put_pair(records, kBase, policy.base.name, policy.base.digest);
  if (policy.own_apprun) put_record(records, kOwnAppRun, {});

  std::string out(kMagic);
  put_int(out, kVersion, 4);
  put_int(out, kHeader + records.size(), 4);
  return out + records;
}

Result<Policy> decode_policy(std::string_view bytes) {
  if (bytes.size() > kPolicyMaximum) return malformed("it is larger than 1 MiB");
  if (bytes.size() < kHeader || bytes.substr(0, 8) != kMagic) return malformed("not a policy");
  if (get_int(bytes.substr(8, 4)) != kVersion) return malformed("of another version");
  if (get_int(bytes.substr(12, 4)) != bytes.size()) return malformed("cut short");

  Policy policy;
  std::size_t count = 0;
  bytes.remove_prefix(kHeader);
  while (!bytes.empty()) {
    if (bytes.size() < 8) return malformed("cut short in a record");
    const auto tag = static_cast<std::uint16_t>(get_int(bytes.substr(0, 2)));
    const bool skippable = (get_int(bytes.substr(2, 2)) & kSkippable) != 0;
    const std::size_t length = get_int(bytes.substr(4, 4));
    bytes.remove_prefix(8);
    if (length > bytes.size()) return malformed("a record is longer than the file");
    TRY(read_record(policy, tag, skippable, bytes.substr(0, length)));
    bytes.remove_prefix(length);
    if (++count > kMaximumRecords) return malformed("too many records");
  }
  if (!policy.workdir.empty() && policy.workdir[0] != '/') {
    return malformed("its workdir is not an absolute path");
  }
  return policy;
}

}  // namespace rootlet
