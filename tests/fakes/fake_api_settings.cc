#include "tests/fakes/fake_api_settings.h"

#include <algorithm>
#include <charconv>

namespace truenas::fakes {

bool read_option(std::string_view argument, Settings& settings) {
  const std::size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const std::string value(equals == std::string_view::npos ? "" : argument.substr(equals + 1));
  int number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  const auto count = static_cast<std::size_t>(std::max(number, 0));
  if (name == "--kubeconfig")
    settings.kubeconfig = value;
  else if (name == "--instances")
    settings.site.instances = number;
  else if (name == "--wal-storage")
    settings.site.wal_storage = true;
  else if (name == "--tablespace")
    settings.site.tablespace = true;
  else if (name == "--empty")
    settings.empty = true;
  else if (name == "--coder")
    settings.coder = true;
  else if (name == "--fleet")
    settings.fleet = number;
  else if (name == "--stopped-homes")
    settings.stopped_homes = number;
  else if (name == "--tick-ms")
    settings.tick_ms = std::max(number, 1);
  else if (name == "--monotonic-serials")
    settings.cnpg.monotonic_serials = true;
  else if (name == "--forgotten-replacements")
    settings.cnpg.forgotten_replacements = number;
  else if (name == "--spread-checkpoint-ticks")
    settings.cnpg.spread_checkpoint_ticks = number;
  else if (name == "--pause-before-write")
    settings.pause_before = count;
  else if (name == "--pause-after-write")
    settings.pause_after = count;
  else if (name == "--drop-reply-of-write")
    settings.drop = count;
  else
    return false;
  return true;
}

}  // namespace truenas::fakes
