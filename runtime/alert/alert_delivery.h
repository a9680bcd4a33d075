// Telling somebody of an alert: a program, a web server or a syslog socket. Each try is bounded in time, and what
// fails is an ordinary error: nothing of nacre waits for it but the watcher.
#pragma once

#include <chrono>
#include <string>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/alert/alert_engine.h"
#include "runtime/alert/alert_rules.h"

namespace nacre::alert {

constexpr int kDeliveryTriesMax = 3;

// One try. The alert goes as one line of JSON: to a command on its standard input, to a webhook as the body of a
// POST, to syslog as the message. A command gets no argument of the alert, no terminal, and of the environment PATH
// only; it must exit with 0. A webhook must answer 2xx.
Status Deliver(const Alert& alert, const AlertSink& sink, std::chrono::milliseconds timeout,
               const CancelToken& cancel);

}  // namespace nacre::alert
