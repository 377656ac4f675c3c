#pragma once
// Typed fields of a kubeconfig stanza as Go's JSON decoder reads them: absent and null are the zero value,
// any other type is an error. Unlike json::View's, these errors never show what stands there: it may be a
// token. Every error is Kind::config, "<source>: <place>: expected …".

#include <string>
#include <vector>

#include "lib/json/view.h"

namespace truenas::kube {

// "<source>: <place>", for errors about the value at `pointer` below the view.
std::string place_of(const json::View& view, std::string_view pointer = "");
// Refuses a value that is neither an object nor null.
Result<void> expect_object(const json::View& view);
// True when an object is there; false when nothing or null is.
Result<bool> has_object(const json::View& view, std::string_view pointer);
Result<std::string> text_of(const json::View& view, std::string_view pointer);
Result<bool> flag_of(const json::View& view, std::string_view pointer);
// K8: the decoded bytes of standard base64, line ends tolerated.
Result<std::string> bytes_of(const json::View& view, std::string_view pointer);
Result<std::vector<std::string>> strings_of(const json::View& view, std::string_view pointer);
// Views of a list's entries, each an object or null.
Result<std::vector<json::View>> entries_of(const json::View& view, std::string_view pointer);
// Refuses what is neither nothing nor an object of strings.
Result<void> check_strings(const json::View& view, const std::string& pointer);

}  // namespace truenas::kube
