#include "lib/http/curl_transport.h"

#include "lib/http/curl_exchange_internal.h"
#include "lib/http/curl_failure_internal.h"
#include "lib/http/curl_handle_internal.h"
#include "lib/http/curl_options_internal.h"
#include "lib/http/curl_websocket_internal.h"

namespace truenas::http {
namespace {

class CurlTransport : public Transport {
 public:
  explicit CurlTransport(Origin origin) : origin_(std::make_shared<const Origin>(std::move(origin))) {}

  Result<Response> send(const Request& request, const BodySink& sink) override {
    const bool is_write = request.method != "GET" && request.method != "HEAD";
    OptionLists lists;
    Exchange exchange(request, sink, is_write ? Exchange::Purpose::write : Exchange::Purpose::read,
                      origin_->endpoint.timings);
    // After what its handle points to, so that it is destroyed before.
    TM_TRY_ASSIGN(std::unique_ptr<Slot> slot, pool_.take());
    TM_TRY(apply_origin(slot->easy(), *origin_, lists));
    TM_TRY(apply_request(slot->easy(), *origin_, request, lists));
    TM_TRY(exchange.attach(slot->easy()));
    const Ending ending = exchange.run(*slot);
    if (ending.cause != Ending::Cause::done) return describe_failure(*origin_, request, is_write, ending);
    if (!exchange.body_was_cut()) pool_.give_back(std::move(slot));
    return std::move(exchange.response());
  }

  Result<Upgrade> upgrade(const Request& request, const std::vector<std::string>& protocols) override {
    return upgrade_connection(origin_, request, protocols);
  }

 private:
  const std::shared_ptr<const Origin> origin_;  // shared with the WebSockets, which may outlive us
  SlotPool pool_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_curl_transport(Endpoint endpoint) {
  TM_TRY_ASSIGN(Origin origin, resolve_origin(std::move(endpoint)));
  return std::unique_ptr<Transport>(std::make_unique<CurlTransport>(std::move(origin)));
}

}  // namespace truenas::http
