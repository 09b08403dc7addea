// Ctrl-C and its relatives, turned into a question that threads ask.
//
// Thread safety: safe.
// Always true: a signal ends nothing by itself; whoever waits, looks.

#ifndef EXAMPLES_DEMO_INTERRUPT_H_
#define EXAMPLES_DEMO_INTERRUPT_H_

namespace tests {

// From now on SIGINT, SIGTERM and SIGHUP only set what Interrupted() tells.
void CatchInterrupts();

// The signal that asked the program to end; 0 if none did.
int Interrupted();

}  // namespace tests

#endif  // EXAMPLES_DEMO_INTERRUPT_H_
