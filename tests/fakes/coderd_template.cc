#include <fmt/format.h>

#include "tests/fakes/coderd.h"

namespace truenas::fakes {

std::string coderd_template(const std::string& spec, const std::string& rest, const std::string& around,
                            const std::string& type) {
  return fmt::format(R"(terraform {{
  required_providers {{
    coder      = {{ source = "coder/coder" }}
    kubernetes = {{ source = "hashicorp/kubernetes" }}
  }}
}}

variable "namespace" {{
  type = string
}}

data "coder_parameter" "home_disk_size" {{
  name    = "home_disk_size"
  default = "10"
  type    = "number"
  mutable = false
}}

data "coder_workspace" "me" {{}}
data "coder_workspace_owner" "me" {{}}

resource "{0}" "home" {{
{2}  metadata {{
    name      = "coder-${{data.coder_workspace.me.id}}-home"
    namespace = var.namespace
    labels = {{
      "app.kubernetes.io/name"     = "coder-pvc"
      "app.kubernetes.io/instance" = "coder-pvc-${{data.coder_workspace.me.id}}"
      "app.kubernetes.io/part-of"  = "coder"
      //Coder-specific labels.
      "com.coder.resource"       = "true"
      "com.coder.workspace.id"   = data.coder_workspace.me.id
      "com.coder.workspace.name" = data.coder_workspace.me.name
      "com.coder.user.username"  = data.coder_workspace_owner.me.name
    }}
    annotations = {{
      "com.coder.user.email" = data.coder_workspace_owner.me.email
    }}
  }}
  wait_until_bound = false
  spec {{
    access_modes = ["ReadWriteOnce"]
    resources {{
      requests = {{
        storage = "${{data.coder_parameter.home_disk_size.value}}Gi"
      }}
    }}
{1}  }}
}}

resource "kubernetes_deployment" "main" {{
  count = data.coder_workspace.me.start_count
  depends_on = [
    {0}.home
  ]
  wait_for_rollout = false
}}
{3})",
                     type, spec, rest, around);
}

}  // namespace truenas::fakes
