#pragma once
// libcurl's handles as C++ objects, and the pool that threads take them from. Private to lib/http: nothing
// outside may see curl. It knows neither endpoints nor requests.

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "lib/base/result.h"

namespace truenas::http {

// CURL and CURLM are both void: one type of deleter each.
struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

// Adds one header line. Kind::bug when memory is short: a header is never dropped silently.
Result<void> append(HeaderList& list, const std::string& line);

// Sets options one after another and remembers the first that libcurl refused.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}
  template <class V>
  OptionSetter& set(CURLoption option, V value) {
    static_assert(!std::is_same_v<V, int> && !std::is_same_v<V, bool>, "variadic: pass 1L, not 1");
    if (code_ == CURLE_OK) note(option, curl_easy_setopt(easy_, option, value));
    return *this;
  }
  // Kind::config, naming the option: this libcurl cannot do what the project needs.
  Result<void> result() const;

 private:
  void note(CURLoption option, CURLcode code);

  CURL* easy_;
  CURLoption option_ = CURLOPT_LASTENTRY;
  CURLcode code_ = CURLE_OK;
};

// One easy handle within its own multi handle, which keeps the connection alive between exchanges. Used by
// one thread at a time. A multi handle instead of curl_easy_perform because only so a stop request, a stall
// or a deadline is noticed within a fraction of a second.
class Slot {
 public:
  static Result<std::unique_ptr<Slot>> make();
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  CURL* easy() const { return easy_.get(); }
  CURLM* multi() const { return multi_.get(); }
  // The easy handle enters and leaves its multi handle; both are idempotent.
  CURLMcode attach();
  void detach();

 private:
  Slot() = default;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  bool attached_ = false;
};

// Idle slots, last used first out, so that the warmest connection is taken.
class SlotPool {
 public:
  Result<std::unique_ptr<Slot>> take();
  // Only after a whole exchange: a slot whose exchange failed is destroyed instead, with its connection.
  void give_back(std::unique_ptr<Slot> slot);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> idle_;
};

// Once a process, from whichever thread comes first.
Result<void> initialize_curl();

}  // namespace truenas::http
