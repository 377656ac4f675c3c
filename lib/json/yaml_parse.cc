#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "lib/base/text.h"
#include "lib/json/value_internal.h"
#include "lib/json/yaml_scalar.h"

namespace truenas::json {
namespace {

constexpr std::size_t k_text_limit = 16u << 20;
// An alias may copy what is large already: both what is counted and what is stored has an end.
constexpr std::size_t k_node_limit = 1000000;
constexpr std::size_t k_expanded_limit = 64u << 20;

// Carries an error of ours through yaml-cpp; caught below.
struct Refusal {
  YAML::Mark mark;
  std::string why;
};

// Builds the Value of one document out of yaml-cpp's events.
class DocumentBuilder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { put(mark, anchor, Value()); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refusal{mark, "an alias inside of what it stands for"};
    count(mark, found->second.nodes, found->second.bytes);
    put(mark, 0, found->second.value, 0, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_tag(mark, tag);
    if (tag == "!") return put(mark, anchor, Value(text));
    if (text == "<<" && expects_key()) throw Refusal{mark, "merge keys (<<) are not supported"};
    Result<Value> value = resolve_plain_scalar(text);
    if (!value.ok()) throw Refusal{mark, value.error().what};
    put(mark, anchor, std::move(value).value());
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::object());
  }
  void OnMapEnd() override { close(); }

  Value take() { return std::move(result_); }

 private:
  struct Frame {
    Value container;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    std::size_t nodes_before = 0, bytes_before = 0;
  };
  struct Anchored {
    Value value;
    std::size_t nodes = 0, bytes = 0;
  };

  bool expects_key() const {
    return !frames_.empty() && frames_.back().container.is_object() && !frames_.back().has_key;
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") throw Refusal{mark, "tags (" + tag + ") are not supported"};
  }

  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > k_node_limit) throw Refusal{mark, fmt::format("it expands to over {} values", k_node_limit)};
    if (bytes_ > k_expanded_limit) throw Refusal{mark, "its aliases expand to over 64 MiB"};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value container) {
    refuse_tag(mark, tag);
    if (expects_key()) throw Refusal{mark, "a key must be a scalar"};
    if (frames_.size() >= k_depth_limit) {
      throw Refusal{mark, fmt::format("nested deeper than {} levels", k_depth_limit)};
    }
    frames_.push_back(Frame{std::move(container), mark, anchor, false, {}, nodes_, bytes_});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (Value::Object* members = ValueAccess::object(frame.container)) drop_repeated_keys(*members);
    put(frame.mark, frame.anchor, std::move(frame.container), 1, 0, nodes_ - frame.nodes_before + 1,
        bytes_ - frame.bytes_before);
  }

  void put(const YAML::Mark& mark, YAML::anchor_t anchor, Value value) {
    const std::size_t bytes = value.text().size();
    put(mark, anchor, std::move(value), 1, bytes, 1, bytes);
  }

  // `nodes`, `bytes`: what to count now; `all_*`: what an alias to this value has to count.
  void put(const YAML::Mark& mark, YAML::anchor_t anchor, Value value, std::size_t nodes, std::size_t bytes,
           std::size_t all_nodes = 0, std::size_t all_bytes = 0) {
    count(mark, nodes, bytes);
    if (anchor != 0) anchors_[anchor] = Anchored{value, all_nodes, all_bytes};
    if (frames_.empty()) {
      result_ = std::move(value);
      return;
    }
    Frame& frame = frames_.back();
    if (Value::Array* items = ValueAccess::array(frame.container)) {
      items->push_back(std::move(value));
    } else if (!frame.has_key) {
      frame.key = key_text(mark, value);
      frame.has_key = true;
    } else {
      ValueAccess::object(frame.container)->emplace_back(std::move(frame.key), std::move(value));
      frame.has_key = false;
    }
  }

  static std::string key_text(const YAML::Mark& mark, const Value& key) {
    switch (key.type()) {
      case Value::Type::string:
        return key.text();
      case Value::Type::number:
        return std::string(key.spelled());
      case Value::Type::boolean:
        return key.boolean_or(false) ? "true" : "false";
      default:
        throw Refusal{mark, "a key must be a scalar and not null"};
    }
  }

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0, bytes_ = 0;
  Value result_;
};

Error refused(std::string_view source, const YAML::Mark& mark, std::string_view why) {
  return make_error(Kind::format, fmt::format("{}: not valid YAML at line {}, column {}: {}", source,
                                              mark.line + 1, mark.column + 1, why));
}

Result<Value> parse_events(std::string_view text, std::string_view source) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    DocumentBuilder document;
    if (!parser.HandleNextDocument(document)) return Value();
    Value value = document.take();
    DocumentBuilder second;
    if (parser.HandleNextDocument(second) && !second.take().is_null()) {
      return make_error(Kind::format, fmt::format("{}: more than one YAML document", source));
    }
    return value;
  } catch (const Refusal& refusal) {
    return refused(source, refusal.mark, refusal.why);
  } catch (const YAML::Exception& failure) {
    return refused(source, failure.mark, failure.msg);
  } catch (const std::exception& failure) {
    return make_error(Kind::format, fmt::format("{}: not valid YAML: {}", source, failure.what()));
  }
}

}  // namespace

Result<Value> parse_yaml(std::string_view text, std::string_view source) {
  if (text.size() > k_text_limit) {
    return make_error(Kind::format, fmt::format("{}: larger than 16 MiB", source));
  }
  if (!is_text(text)) return make_error(Kind::format, fmt::format("{}: not UTF-8 text", source));
  const std::string_view body = trim(text);
  if (body.starts_with('{') || body.starts_with('[')) {
    Result<Value> value = parse(body, source);
    if (value.ok()) return value;
  }
  return parse_events(text, source);
}

}  // namespace truenas::json
