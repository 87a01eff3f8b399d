#include "mcvol/cli/logging.h"

#include <cstdio>
#include <memory>
#include <mutex>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set_before_line(std::function<void()> before_line) {
    const std::scoped_lock lock(mutex_);
    before_line_ = std::move(before_line);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (before_line_) before_line_();
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  std::function<void()> before_line_;
};

std::shared_ptr<StderrSink>& stderr_sink() {
  static std::shared_ptr<StderrSink> sink = std::make_shared<StderrSink>();
  return sink;
}

}  // namespace

void set_up_logging(Verbosity verbosity) {
  auto logger = std::make_shared<spdlog::logger>("mcvol", stderr_sink());
  const bool verbose = verbosity == Verbosity::kVerbose;
  logger->set_pattern(verbose ? "%H:%M:%S.%e %l: %v" : "%l: %v");
  logger->set_level(verbosity == Verbosity::kQuiet ? spdlog::level::err
                    : verbose                      ? spdlog::level::debug
                                                   : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void set_before_log_line(std::function<void()> before_line) {
  stderr_sink()->set_before_line(std::move(before_line));
}

}  // namespace mcvol
