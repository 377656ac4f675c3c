#pragma once
// What fake_api_server is told on its command line.

#include <string>
#include <string_view>

#include "tests/fakes/cnpg_model.h"
#include "tests/fakes/site.h"

namespace truenas::fakes {

struct Settings {
  std::string kubeconfig;
  SiteOptions site;
  bool empty = false, coder = false;
  int tick_ms = 50;
  int fleet = 0;          // workspaces beside the site's
  int stopped_homes = 0;  // … that are all stopped, and Coder's rights to their claims
  CnpgOptions cnpg;
  std::size_t pause_before = 0, pause_after = 0, drop = 0;
};
// False for an option that there is none of.
bool read_option(std::string_view argument, Settings& settings);

}  // namespace truenas::fakes
