#pragma once
// Templates and claims for tests, in the shapes of Coder's own templates.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "lib/coder/live_claim.h"
#include "lib/coder/outcome.h"
#include "lib/coder/template.h"

namespace truenas::coder {

inline constexpr const char* k_old = "truenas-nfs";
inline constexpr const char* k_new = "truenas-csi-nfs";
inline constexpr const char* k_id = "6f3d9a52-3c1e-4b7e-9d55-0d4a1c2b3e4f";

// What differs from template to template.
struct Shape {
  std::string type = "kubernetes_persistent_volume_claim";
  std::string label = "home";
  std::string size = "${data.coder_parameter.home_disk_size.value}Gi";
  std::string modes = "\"ReadWriteOnce\"";
  std::string spec;      // lines inside spec
  std::string resource;  // lines inside the resource: lifecycle, count
  std::string around;    // blocks beside it
};

inline std::string class_line(const std::string& name) {
  return "    storage_class_name = \"" + name + "\"\n";
}

inline std::string ignore_line(const std::string& what) {
  return "  lifecycle {\n    ignore_changes = " + what + "\n  }\n";
}

inline std::string home_template(const Shape& shape) {
  return fmt::format(R"(terraform {{
  required_providers {{
    coder      = {{ source = "coder/coder" }}
    kubernetes = {{ source = "hashicorp/kubernetes" }}
  }}
}}

variable "namespace" {{
  type        = string
  description = "The namespace of the workspaces. \"coder\" by default; see ${{docs}}"
}}

data "coder_parameter" "home_disk_size" {{
  name    = "home_disk_size"
  default = "10"
  type    = "number"
}}

data "coder_workspace" "me" {{}}
data "coder_workspace_owner" "me" {{}}

resource "coder_agent" "main" {{
  os             = "linux"
  arch           = "amd64"
  startup_script = <<-EOT
    set -e
    # storage_class_name = "not-this-one" }}
    echo "$${{HOME}} of ${{data.coder_workspace.me.name}}" # {{
  EOT
}}

resource "{0}" "{1}" {{
{5}  metadata {{
    name      = "coder-${{data.coder_workspace.me.id}}-home"
    namespace = var.namespace
    labels = {{
      "app.kubernetes.io/name"     = "coder-pvc"
      "app.kubernetes.io/instance" = "coder-pvc-${{data.coder_workspace.me.id}}"
      "app.kubernetes.io/part-of"  = "coder"
      //Coder-specific labels.
      "com.coder.resource"       = "true"
      "com.coder.user.username"  = data.coder_workspace_owner.me.name
    }}
    annotations = {{
      "com.coder.user.email" = data.coder_workspace_owner.me.email
    }}
  }}
  wait_until_bound = false
  spec {{
    access_modes = [{3}]
    resources {{
      requests = {{
        storage = "{2}"
      }}
    }}
{4}  }}
}}

resource "kubernetes_deployment_v1" "main" {{
  count = data.coder_workspace.me.start_count
  depends_on = [
    {0}.{1}
  ]
}}
{6})",
                     shape.type, shape.label, shape.size, shape.modes, shape.spec, shape.resource,
                     shape.around);
}

// A claim as Coder's build made it from that, Bound on `storage_class`.
inline LiveClaim home_claim(const std::string& storage_class = k_old) {
  LiveClaim claim;
  claim.ns = "coder-workspaces";
  claim.name = std::string("coder-") + k_id + "-home";
  claim.storage_class = storage_class;
  claim.request = "10Gi";
  claim.capacity = "10Gi";
  claim.volume_name = "pvc-" + storage_class;
  claim.volume_mode = "Filesystem";
  claim.access_modes = {"ReadWriteOnce"};
  claim.labels = {{"app.kubernetes.io/name", "coder-pvc"},
                  {"app.kubernetes.io/instance", std::string("coder-pvc-") + k_id},
                  {"app.kubernetes.io/part-of", "coder"},
                  {"com.coder.resource", "true"},
                  {"com.coder.user.username", "ada"}};
  claim.annotations = {{"com.coder.user.email", "ada@example.com"},
                       {"pv.kubernetes.io/bind-completed", "yes"},
                       {"volume.kubernetes.io/storage-provisioner", "org.democratic-csi.nfs"}};
  claim.class_expands = storage_class == k_new;
  claim.volume_retained = storage_class == k_new;
  return claim;
}

inline Values home_values() {
  return {{"data.coder_parameter.home_disk_size.value", "10"},
          {"var.namespace", "coder-workspaces"},
          {"data.coder_workspace.me.id", k_id}};
}

inline Template read(const std::string& text) {
  auto result = read_template({{"main.tf", text}});
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().what));
  return std::move(result).value();
}

inline Template read(const Shape& shape) {
  return read(home_template(shape));
}

// The state holds the claim under the address that the text has, from a version with class line `was`.
inline Before before(const Shape& shape, bool same_version = true) {
  const Template text = read(shape);
  return before_of(text.claims.at(0), same_version);
}

inline Question question(const Template& text, const Before& state) {
  Question asked;
  asked.text = &text;
  asked.values = home_values();
  asked.before = state;
  asked.old_class = k_old;
  asked.new_class = k_new;
  asked.default_class = k_old;
  return asked;
}

}  // namespace truenas::coder
