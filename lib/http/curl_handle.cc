#include <fmt/format.h>

#include "lib/http/curl_handle_internal.h"

namespace truenas::http {
namespace {

// More idle connections than parallel runs ever use at once.
constexpr std::size_t k_idle_limit = 32;

Error out_of_memory() {
  return make_error(Kind::bug, "libcurl: out of memory");
}

}  // namespace

Result<void> append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return out_of_memory();
  static_cast<void>(list.release());  // now owned through `longer`, which is the same head once there is one
  list.reset(longer);
  return {};
}

void OptionSetter::note(CURLoption option, CURLcode code) {
  option_ = option;
  code_ = code;
}

Result<void> OptionSetter::result() const {
  if (code_ == CURLE_OK) return {};
  const curl_easyoption* known = curl_easy_option_by_id(option_);
  return make_error(Kind::config,
                    fmt::format("libcurl {} cannot set CURLOPT_{}: {}", curl_version(),
                                known != nullptr ? known->name : "?", curl_easy_strerror(code_)),
                    {"use libcurl 7.88 or newer, built with OpenSSL"});
}

Result<std::unique_ptr<Slot>> Slot::make() {
  std::unique_ptr<Slot> slot(new Slot());
  slot->multi_.reset(curl_multi_init());
  slot->easy_.reset(curl_easy_init());
  if (!slot->multi_ || !slot->easy_) return out_of_memory();
  return slot;
}

Slot::~Slot() {
  detach();
}

CURLMcode Slot::attach() {
  if (attached_) return CURLM_OK;
  const CURLMcode code = curl_multi_add_handle(multi_.get(), easy_.get());
  attached_ = code == CURLM_OK;
  return code;
}

void Slot::detach() {
  if (attached_) curl_multi_remove_handle(multi_.get(), easy_.get());
  attached_ = false;
}

Result<std::unique_ptr<Slot>> SlotPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Slot> slot = std::move(idle_.back());
      idle_.pop_back();
      return slot;
    }
  }
  return Slot::make();
}

void SlotPool::give_back(std::unique_ptr<Slot> slot) {
  slot->detach();
  curl_easy_reset(slot->easy());  // it points into the exchange, which is about to go
  const std::lock_guard lock(mutex_);
  if (idle_.size() < k_idle_limit) idle_.push_back(std::move(slot));
}

Result<void> initialize_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    return make_error(Kind::bug, fmt::format("libcurl cannot start: {}", curl_easy_strerror(code)));
  }
  return {};
}

}  // namespace truenas::http
