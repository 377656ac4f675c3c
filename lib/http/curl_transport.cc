#include "lib/http/curl_transport.h"

#include "lib/base/interrupt.h"
#include "lib/http/curl_exchange_internal.h"
#include "lib/http/curl_failure_internal.h"
#include "lib/http/curl_handle_internal.h"
#include "lib/http/curl_options_internal.h"

namespace truenas::http {
namespace {

class CurlTransport : public Transport {
 public:
  explicit CurlTransport(Origin origin) : origin_(std::move(origin)) {}

  Result<Response> send(const Request& request, const BodySink& sink) override {
    const bool is_write = request.method != "GET" && request.method != "HEAD";
    OptionLists lists;
    Exchange exchange(request, sink, is_write, origin_.endpoint.timings.interrupt_grace);
    // After what its handle points to, so that it is destroyed before.
    TM_TRY_ASSIGN(std::unique_ptr<Slot> slot, pool_.take());
    TM_TRY(apply_origin(slot->easy(), origin_, lists));
    TM_TRY(apply_request(slot->easy(), origin_, request, lists));
    TM_TRY(exchange.attach(slot->easy()));
    const Ending ending = exchange.run(*slot);
    if (ending.cause != Ending::Cause::done) return describe_failure(origin_, request, is_write, ending);
    if (!exchange.body_was_cut()) pool_.give_back(std::move(slot));
    return std::move(exchange.response());
  }

  Result<Upgrade> upgrade(const Request& request, const std::vector<std::string>& protocols) override;

 private:
  const Origin origin_;
  SlotPool pool_;
};

Result<Upgrade> CurlTransport::upgrade(const Request&, const std::vector<std::string>&) {
  return make_error(Kind::bug, "WebSocket upgrades are not built yet");
}

}  // namespace

Result<std::unique_ptr<Transport>> make_curl_transport(Endpoint endpoint) {
  TM_TRY_ASSIGN(Origin origin, resolve_origin(std::move(endpoint)));
  return std::unique_ptr<Transport>(std::make_unique<CurlTransport>(std::move(origin)));
}

}  // namespace truenas::http
