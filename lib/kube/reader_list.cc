// Lists, page by page (L1-L5): streamed, begun again when a page has expired, never silently short.

#include <fmt/format.h>

#include "lib/json/stream.h"
#include "lib/kube/reader.h"
#include "lib/kube/reader_internal.h"

namespace truenas::kube {
namespace {

constexpr int k_max_restarts = 3;

struct Page {
  std::string next;  // metadata.continue; "" at the end
  std::string resource_version;
};

// L5: items of typed lists say neither.
void complete(json::Value& item, const ResourceType& type) {
  if (item.find("apiVersion") == nullptr) item.set("apiVersion", api_version(type));
  if (item.find("kind") == nullptr) item.set("kind", type.kind);
}

// A reply that is no list at all must not pass for an empty one.
Result<Page> read_page(const json::Value& rest, const Call& call, Status* status) {
  if (is_failure(rest)) {
    *status = read_status_object(rest);
    return status_error(*status, call);
  }
  if (!rest.text_at("/kind").ends_with("List")) {
    return make_error(Kind::format,
                      fmt::format("reply to {}: /kind: expected a list, found {}", call.what,
                                  rest.text_at("/kind").empty() ? "nothing" : rest.text_at("/kind")));
  }
  const json::Value* items = rest.find("items");  // taken out where it was an array; null where Go had none
  if (items != nullptr && !items->is_null()) {
    return make_error(Kind::format, fmt::format("reply to {}: /items: expected an array", call.what));
  }
  return Page{rest.text_at("/metadata/continue"), rest.text_at("/metadata/resourceVersion")};
}

class Listing {
 public:
  Listing(Session& session, const ResourceType& type, const ListOptions& options, const ItemSink& sink)
      : session_(session), type_(type), options_(options), sink_(sink) {}

  Result<Page> page(const Call& call, Status* status) {
    json::ListReader reader(
        "reply to " + call.what,
        [&](json::Value item) -> Result<void> {
          complete(item, type_);
          return sink_.item(std::move(item));
        },
        options_.wanted);
    const auto feed = [&](std::string_view piece) { return reader.feed(piece); };
    TM_TRY(session_.call(call, feed, status));
    TM_TRY(reader.finish());
    return read_page(reader.rest(), call, status);
  }

 private:
  Session& session_;
  const ResourceType& type_;
  const ListOptions& options_;
  const ItemSink& sink_;
};

bool expired(const Status& status) {
  return status.code == 410 || status.reason == "Expired" || status.reason == "Gone";
}

}  // namespace

Result<std::string> Reader::list(const ResourceType& type, std::string_view ns, const ListOptions& options,
                                 const ItemSink& sink) const {
  Call first;
  first.what = call_name("list", type, ns, "");
  TM_TRY_ASSIGN(first.path, resource_path(type, ns, ""));
  add_selectors(first, options);
  Listing listing(*session_, type, options, sink);
  Page page;
  for (int restarts = 0;;) {
    Call call = first;
    // The last attempt asks for everything at once: such a list cannot expire between two pages.
    if (options.limit > 0 && restarts < k_max_restarts)
      call.query.emplace_back("limit", std::to_string(options.limit));
    if (!page.next.empty()) call.query.emplace_back("continue", page.next);
    Status status;
    Result<Page> answer = listing.page(call, &status);
    if (!answer.ok()) {
      // Without restart() the items of the first attempt would stay and be counted twice.
      if (page.next.empty() || !expired(status) || restarts == k_max_restarts || !sink.restart) {
        // A list in a namespace that does not exist is empty: a 404 is about the type.
        return status.code == 404 ? unknown_resource(type) : std::move(answer).take_error();
      }
      ++restarts;
      page = Page();
      sink.restart();
      continue;
    }
    page = std::move(answer).value();
    if (page.next.empty()) return page.resource_version;
  }
}

}  // namespace truenas::kube
