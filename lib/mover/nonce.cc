#include "lib/mover/nonce.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "lib/mover/attributes.h"
#include "lib/mover/identity.h"

namespace truenas::mover {
namespace {

constexpr std::string_view k_start = ".volume-mover-";
constexpr std::string_view k_end = ".nonce";
constexpr std::string_view k_digits = "0123456789abcdef";
constexpr std::size_t k_bytes = 16;

Attempt<std::string> new_name() {
  std::array<unsigned char, k_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Attempt<std::string>::failed(errno);
  std::string name(k_start);
  for (const unsigned char byte : bytes) {
    name += k_digits[byte >> 4];
    name += k_digits[byte & 15];
  }
  return name + std::string(k_end);
}

}  // namespace

bool is_nonce_name(std::string_view name) {
  if (name.size() != k_start.size() + 2 * k_bytes + k_end.size()) return false;
  return name.starts_with(k_start) && name.ends_with(k_end) &&
         name.substr(k_start.size(), 2 * k_bytes).find_first_not_of(k_digits) == std::string_view::npos;
}

bool is_nonce(std::string_view name, const Attributes& attributes) {
  return is_nonce_name(name) && attributes.type == FileType::regular && attributes.size == 0;
}

Attempt<void> Nonce::put(OpenDirectory directory, std::optional<Owner> keeper) {
  Attempt<std::string> name = new_name();
  if (!name) return Attempt<void>::failed(name.number());
  const Acting acting(keeper);
  if (!acting.taken()) return Attempt<void>::failed(EPERM);
  const Attempt<Attributes> before = read_attributes(directory->get(), Freshness::of_server);
  if (!before) return Attempt<void>::failed(before.number());
  const Descriptor file(
      ::openat(directory->get(), name->c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return Attempt<void>::failed(errno);
  time_ = before->mtime;
  directory_ = std::move(directory);
  keeper_ = keeper;
  name_ = std::move(*name);
  return {};
}

Attempt<bool> Nonce::is_in(int directory) const {
  if (!is_put()) return false;
  const Attempt<Attributes> found = read_attributes(directory, name_.c_str(), Freshness::of_server);
  if (found.ok()) return true;
  if (found.number() == ENOENT) return false;
  return Attempt<bool>::failed(found.number());
}

Attempt<void> Nonce::remove(bool time_too) {
  if (!is_put()) return {};
  const OpenDirectory directory = std::exchange(directory_, nullptr);
  const Acting acting(keeper_);
  if (!acting.taken()) return Attempt<void>::failed(EPERM);
  if (::unlinkat(directory->get(), name_.c_str(), 0) != 0 && errno != ENOENT)
    return Attempt<void>::failed(errno);
  const std::array<timespec, 2> times = {
      timespec{0, UTIME_OMIT},
      timespec{static_cast<time_t>(time_.seconds), static_cast<long>(time_.nanoseconds)}};
  if (time_too) (void)::futimens(directory->get(), times.data());
  return {};
}

}  // namespace truenas::mover
