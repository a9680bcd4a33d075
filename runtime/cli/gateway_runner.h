// A turn through a gateway (`nacre serve`): the same events, printed by the same printer.
#pragma once

#include "base/cancel_token.h"
#include "runtime/cli/command.h"
#include "runtime/cli/event_printer.h"
#include "runtime/cli/session_runner.h"

namespace nacre::cli {

int RunThroughGateway(Globals& globals, const TurnRequest& request, EventPrinter& printer,
                      const CancelToken& cancel);

}  // namespace nacre::cli
