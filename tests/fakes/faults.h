#pragma once
// What a network and other people do to a request: refuse it, lose its reply, answer it with an error, change
// something just before it. Each fault names the request it strikes; writes (POST, PUT, PATCH, DELETE) are
// counted of their own, so that "the k-th write" can be struck for every k.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "lib/http/transport.h"

namespace truenas::fakes {

// A request as faults see it. Numbers begin with 1; write is 0 for a read.
struct Seen {
  std::size_t request = 0, write = 0;
  const http::Request& what;
};

struct Fault {
  enum class Kind {
    refuse,      // never reaches the server
    drop_reply,  // applied, and the reply is lost
    answer,      // not applied; `reply` comes instead
    before,      // `change` happens first, then it is applied
    after,       // applied, then `change` happens, then the reply comes
  };
  Kind kind = Kind::refuse;
  std::function<bool(const Seen&)> when;
  http::Response reply;
  std::function<void()> change;
  int times = 1;  // how often it strikes; -1: always
};

std::function<bool(const Seen&)> write_number(std::size_t k);
std::function<bool(const Seen&)> request_number(std::size_t k);
// Method (empty: any) and a part of the target.
std::function<bool(const Seen&)> request_to(std::string method, std::string part);

Fault refuse(std::function<bool(const Seen&)> when);
Fault drop_reply(std::function<bool(const Seen&)> when);
Fault answer(std::function<bool(const Seen&)> when, http::Response reply);
Fault before(std::function<bool(const Seen&)> when, std::function<void()> change);
Fault after(std::function<bool(const Seen&)> when, std::function<void()> change);
// 429 with Retry-After: 1; 500; 409.
http::Response too_many_requests(int retry_after_seconds = 1);
http::Response internal_error();

// Finds the fault that strikes a request and counts it as spent.
class Faults {
 public:
  void add(Fault fault) { faults_.push_back(std::move(fault)); }
  void clear() { faults_.clear(); }
  const Fault* strike(const Seen& seen);

 private:
  std::vector<Fault> faults_;
};

}  // namespace truenas::fakes
