#include "lib/engine/lease.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/quantity.h"
#include "lib/base/text.h"
#include "lib/json/view.h"
#include "lib/kube/resource.h"

namespace truenas::engine {
namespace {

constexpr Seconds k_longest_watch{60};  // whatever somebody wrote into a Lease

json::Value spec_patch(const Lease& lease, json::Value spec) {
  return json::Value::object(
      {{"metadata", json::Value::object({{"resourceVersion", lease.resource_version}})},
       {"spec", std::move(spec)}});
}

std::string age_of(const std::string& stamp, std::chrono::microseconds now) {
  const Result<std::chrono::microseconds> time = parse_time(stamp);
  if (!time.ok()) return "";
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - *time);
  return format_age(std::max(age, std::chrono::seconds(0)));
}

// "ann on build-7 (process 4211)", or the holder as it is where another program wrote it.
std::string describe_holder(const std::string& holder) {
  const std::vector<std::string> parts = split(holder, ':');
  const std::size_t at = parts[0].find('@');
  if (parts.size() != 3 || at == std::string::npos) return quote(holder);
  return printable(
      fmt::format("{} on {} (process {})", parts[0].substr(0, at), parts[0].substr(at + 1), parts[1]));
}

}  // namespace

Result<Lease> parse_lease(const json::Value& object) {
  const json::View view(object, kube::describe(object));
  Lease lease;
  TM_TRY_ASSIGN(lease.holder, view.find_string("/spec/holderIdentity"));
  TM_TRY_ASSIGN(lease.acquire_time, view.find_string("/spec/acquireTime"));
  TM_TRY_ASSIGN(lease.renew_time, view.find_string("/spec/renewTime"));
  TM_TRY_ASSIGN(lease.duration_seconds, view.find_integer("/spec/leaseDurationSeconds"));
  TM_TRY_ASSIGN(lease.transitions, view.find_integer("/spec/leaseTransitions"));
  const kube::Identity identity = kube::identity_of(object);
  lease.uid = identity.uid;
  lease.resource_version = identity.resource_version;
  return lease;
}

json::Value new_lease(std::string_view ns, std::string_view name, const std::string& holder, Seconds duration,
                      std::chrono::microseconds now) {
  const std::string stamp = format_micro_time(now);
  json::Value labels = json::Value::object(
      {{"app.kubernetes.io/managed-by", "kubectl-truenas-migrate"}, {"app.kubernetes.io/name", name}});
  json::Value spec = json::Value::object({{"holderIdentity", holder},
                                          {"leaseDurationSeconds", std::int64_t{duration.count()}},
                                          {"acquireTime", stamp},
                                          {"renewTime", stamp},
                                          {"leaseTransitions", 0}});
  return json::Value::object(
      {{"apiVersion", "coordination.k8s.io/v1"},
       {"kind", "Lease"},
       {"metadata", json::Value::object({{"name", name}, {"namespace", ns}, {"labels", labels}})},
       {"spec", spec}});
}

json::Value take_patch(const Lease& lease, const std::string& holder, Seconds duration,
                       std::chrono::microseconds now) {
  const std::string stamp = format_micro_time(now);
  return spec_patch(lease, json::Value::object({{"holderIdentity", holder},
                                                {"leaseDurationSeconds", std::int64_t{duration.count()}},
                                                {"acquireTime", stamp},
                                                {"renewTime", stamp},
                                                {"leaseTransitions", lease.transitions + 1}}));
}

json::Value renew_patch(const Lease& lease, std::chrono::microseconds now) {
  return spec_patch(lease, json::Value::object({{"renewTime", format_micro_time(now)}}));
}

json::Value release_patch(const Lease& lease, std::chrono::microseconds now) {
  return spec_patch(lease,
                    json::Value::object({{"holderIdentity", ""}, {"renewTime", format_micro_time(now)}}));
}

std::string make_holder(std::string_view user, std::string_view host, long pid, std::string_view random) {
  return fmt::format("{}@{}:{}:{}", user, host, pid, random);
}

LeaseWatch::LeaseWatch(Lease first, Milliseconds now, Seconds at_least)
    : first_(std::move(first)),
      began_(now),
      duration_(std::clamp(Seconds(first_.duration_seconds), at_least, std::max(at_least, k_longest_watch))) {
}

LeaseWatch::Verdict LeaseWatch::look(const Lease& lease, Milliseconds now) const {
  if (lease.holder.empty()) return Verdict::free;
  // Compared as text: only whether somebody wrote, never when.
  const bool moved = lease.uid != first_.uid || lease.holder != first_.holder ||
                     lease.renew_time != first_.renew_time || lease.transitions != first_.transitions;
  if (moved) return Verdict::held;
  return now - began_ >= duration_ ? Verdict::take_over : Verdict::watch_on;
}

Error locked_error(std::string_view what, const Lease& lease, std::chrono::microseconds now) {
  std::string text = fmt::format("{} is locked by another run: {}", what, describe_holder(lease.holder));
  if (const std::string since = age_of(lease.acquire_time, now); !since.empty()) text += ", since " + since;
  if (const std::string age = age_of(lease.renew_time, now); !age.empty())
    text += ", renewed " + age + " ago";
  return make_error(Kind::locked, std::move(text),
                    {"wait for it to end, or stop it; a run that died frees its lock within a minute"});
}

}  // namespace truenas::engine
