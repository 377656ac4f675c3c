#include "plugin/mover_flags.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/engine/lock.h"
#include "lib/storage/mover_binaries.h"

namespace truenas::plugin {

std::vector<Flag> mover_flags() {
  return {
      {"mover-image", 0, "IMAGE",
       "Image of the mover's Pod; any will do (default: a pause image that a node has)."},
      {"image-pull-secret", 0, "NAME", "Secret to pull that image with."},
      {"node-selector", 0, "KEY=VALUE", "Run the mover only on nodes with this label.", "", true},
      {"toleration", 0, "KEY[=VALUE][:EFFECT]", "A taint that the mover's Pod tolerates.", "", true},
      {"mover-requests", 0, "RESOURCE=QUANTITY,…",
       "What the mover's Pod requests (default: cpu=100m,memory=64Mi)."},
      {"mover-limits", 0, "RESOURCE=QUANTITY,…",
       "What the mover's Pod may use at most (default: memory=256Mi)."},
  };
}

Result<storage::MoverWishes> read_mover_wishes(const Arguments& arguments) {
  storage::MoverWishes wishes;
  wishes.image = arguments.text("mover-image");
  wishes.image_pull_secret = arguments.text("image-pull-secret");
  for (const std::string& text : arguments.texts("node-selector")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return make_error(Kind::usage, fmt::format("--node-selector wants KEY=VALUE, got {}", quote(text)));
    }
    wishes.node_selector[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const std::string& text : arguments.texts("toleration")) {
    TM_TRY_ASSIGN(json::Value toleration, storage::parse_toleration(text));
    wishes.tolerations.push_back(std::move(toleration));
  }
  if (arguments.given("mover-requests")) {
    TM_TRY_ASSIGN(wishes.requests,
                  storage::parse_resources("--mover-requests", arguments.text("mover-requests")));
  }
  if (arguments.given("mover-limits")) {
    TM_TRY_ASSIGN(wishes.limits, storage::parse_resources("--mover-limits", arguments.text("mover-limits")));
  }
  return wishes;
}

workflow::MoverProgram embedded_mover() {
  return [](const std::string& name) -> Result<std::string_view> {
    if (const auto architecture = storage::find_architecture(name))
      return storage::mover_binary(*architecture);
    return make_error(Kind::refused,
                      fmt::format("there is no volume-mover for architecture {}", quote(name)));
  };
}

std::string make_run_name(const std::string& what) {
  return sha256_hex(engine::this_holder() + " " + what).substr(0, 10);
}

}  // namespace truenas::plugin
