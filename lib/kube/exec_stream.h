#pragma once
// The channel protocol of exec (F1-F10) as a pure decoder: messages in, output and exit code out. It must not
// take a connection that ended without a Status for a success, whatever the close code says (F10).

#include <string>

#include "lib/http/transport.h"
#include "lib/kube/exec.h"

namespace truenas::kube {

inline constexpr std::string_view k_exec_v5 = "v5.channel.k8s.io";
inline constexpr std::string_view k_exec_v4 = "v4.channel.k8s.io";
inline constexpr std::size_t k_stdin_piece = 32 * 1024 - 1;  // bytes a message, after the channel's byte

// A stdin message (channel 0).
std::string stdin_message(std::string_view piece);
// The half-close of stdin (F3); v5 only.
std::string stdin_end_message();

class ExecStream {
 public:
  // `what` names the command in messages; more than `output_limit` bytes on stdout or stderr is Kind::format.
  ExecStream(std::string what, std::size_t output_limit)
      : what_(std::move(what)), output_limit_(output_limit) {}

  // Takes in one message. Kind::format for what breaks the protocol.
  Result<void> accept(const http::Message& message);
  // The connection has ended.
  bool closed() const { return closed_; }
  // Something of the Status is there: from now on nothing may be sent (N5).
  bool status_begun() const { return !status_.empty(); }
  // The whole Status is there: an end of the connection is no loss any more.
  bool status_complete() const;
  // The outcome after the end. Kind::unavailable without a complete Status; a failure to run the command has
  // the kind of its reason. A command that ran and failed is ok, with its exit code.
  Result<ExecResult> finish() const;

 private:
  std::string what_;
  std::size_t output_limit_;
  ExecResult result_;
  std::string status_;
  bool closed_ = false;
  std::string ending_;
};

}  // namespace truenas::kube
