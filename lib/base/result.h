#pragma once
// Result and Error: how every fallible function of this project reports. Errors are values; nothing here
// throws, prints or exits. What each kind means to a user (its exit code) is decided in plugin/, not here.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace truenas {

// What went wrong, as far as a caller must branch on it.
enum class Kind {
  usage,            // the command line is wrong
  config,           // a kubeconfig, file or environment variable is wrong
  auth,             // not authenticated, or not permitted (401, 403)
  not_found,        // the object does not exist (404): known, not assumed
  conflict,         // somebody else changed it, or it exists already (409)
  refused,          // a safety check says no; nothing was changed
  unavailable,      // the server or the network did not answer; a read may be tried again
  outcome_unknown,  // a write was sent and no reply came: neither done nor failed. Look again, never resend.
  format,           // a reply, file or text is not what it must be
  mismatch,         // a verification found a difference
  stopped,          // stopped midway; running again goes on
  locked,           // another run holds the lock
  interrupted,      // a signal, or the user said no
  bug,              // cannot happen
};

// The name of a kind as it appears in JSON output and logs ("not_found").
std::string_view kind_name(Kind kind);

// `what` is one lower-case sentence without "error: ". Each hint is one line a user can act on, most often a
// command.
struct Error {
  Kind kind = Kind::bug;
  std::string what;
  std::vector<std::string> hints;

  // The same error with "<context>: " in front of `what`.
  Error in(std::string_view context) const;
  // The same error with one hint more.
  Error with_hint(std::string hint) const;
};

// Either a T or an Error. value() on an error and error() on a value abort: check first, or use TM_TRY.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(state_); }
  Error&& take_error() { return std::get<1>(std::move(state_)); }
  T value_or(T fallback) const { return ok() ? value() : std::move(fallback); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }
  Error&& take_error() { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

inline Error make_error(Kind kind, std::string what, std::vector<std::string> hints = {}) {
  return Error{kind, std::move(what), std::move(hints)};
}

}  // namespace truenas

#define TM_CONCAT_(a, b) a##b
#define TM_CONCAT(a, b) TM_CONCAT_(a, b)
// TM_TRY(expression): returns its error from the enclosing function.
#define TM_TRY(expression)                                           \
  do {                                                               \
    auto tm_result_ = (expression);                                  \
    if (!tm_result_.ok()) return std::move(tm_result_).take_error(); \
  } while (false)
// TM_TRY_ASSIGN(auto x, expression): declares x from the value, or returns the error.
#define TM_TRY_ASSIGN(declaration, expression) \
  TM_TRY_ASSIGN_(TM_CONCAT(tm_result_, __LINE__), declaration, expression)
#define TM_TRY_ASSIGN_(name, declaration, expression)  \
  auto name = (expression);                            \
  if (!name.ok()) return std::move(name).take_error(); \
  declaration = std::move(name).value()
