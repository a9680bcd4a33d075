// ContextTracker: what one conversation has read so far: its label, and the texts that it is made of,
// each by who vouches for it. Told of every text in the order in which the model sees them, it says
// of each call what is known of its data.
//
//   ContextTracker context(policy.data);
//   context.AddUser("Pay the bill in bill.txt");
//   context.AddResult(read_traits, request, text);
//   request.flow = context.Facts(pay_traits, request);     // then Evaluate(policy, request)
//
// Pure: the same texts in the same order give the same facts, so that a resumed session knows what it
// knew before. It only grows: what was read is not unread. Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/flow.h"
#include "policy/provenance.h"
#include "policy/request.h"
#include "policy/tool_traits.h"

namespace nacre::policy {

class ContextTracker final {
 public:
  // Borrows the rules. Rules that are not `present` keep no labels and find nothing.
  explicit ContextTracker(const DataRules& rules) : rules_(rules) {}

  void AddUser(std::string_view text);
  // Of what the user says.
  Label UserLabel() const;
  // What a call answered, as the model is shown it.
  void AddResult(const ToolTraits& tool, const Request& call, std::string_view text);
  // A call that ran: what it wrote has WrittenLabel().
  void AddRun(const ToolTraits& tool, const Request& call);

  // Of all parts of the result together, also of the names of fields that nobody vouches for.
  Label ResultLabel(const ToolTraits& tool, const Request& call, std::string_view text) const;
  // Of what a call writes: all that was read before, that it was given, and that it may read: also of a path that it
  // writes, since it may move or extend what is there. `kGiven` leaves the last out: of a text that stands in the call
  // itself.
  enum class From { kRead = 0, kGiven };
  Label WrittenLabel(const Request& call, From from) const;
  // Such a result is not to be shown: the policy has a quarantine, and it is untrusted.
  bool Withholds(const Label& label) const;
  // A result as the model is told of it where only parts of it are withheld.
  struct Field {
    std::string name;  // its keys, joined by dots; "?" for one that nobody vouches for
    std::string text;
    Label label;
    bool withheld = false;
  };
  // Empty where it cannot be told in parts: nothing in it is vouched for, all of it is, or the text is not of the
  // format that the tool's manifest says, exactly.
  std::vector<Field> Fields(const ToolTraits& tool, const Request& call,
                            std::string_view text) const;
  // One of these that was shown, with the label that it had then: it may have a worse one by now.
  void AddField(const ToolTraits& tool, const Request& call, std::string_view text,
                const Label& label);
  // A withheld text that a person says may be believed: what it names, a trusted source named. It is as private
  // as before.
  void AddEndorsed(const Label& label, std::string_view text);
  // A value of a bounded type that was found in a withheld text: as private as that, and a stranger's word
  // wherever it is used. It holds no instructions, so the context is trusted as before; but what the model
  // makes of such values (120000 cents, 1200 euros) is `derived` from then on, and not a trusted source's.
  void AddExtracted(const Label& from, std::string_view value);

  FlowFacts Facts(const ToolTraits& tool, const Request& call) const;
  const Label& context() const { return context_; }

 private:
  // One part of a result.
  struct Part {
    std::string text;
    Label label;
    bool key =
        false;  // of a field: a stranger's word, which does not taint a context that it is read into
  };

  void Keep(std::string_view text, const Label& label, Provenance::Voice trusted_as);
  // What the session itself did to the label of what this call reads: files that it wrote, withheld texts
  // that the call was given.
  Label OwnLabel(const ToolTraits& tool, const Request& call) const;
  std::vector<Part> PartsOf(const ToolTraits& tool, const Request& call,
                            std::string_view text) const;
  // Before it runs, of what it is there to read.
  Label KnownLabel(const Request& call) const;
  // Of a part of a result, by what the manifest says of it.
  Label PartLabel(const ToolTraits& tool, const Request& call,
                  std::optional<Integrity> declared) const;

  const DataRules& rules_;
  Label context_ = Label::Clean();
  // A stranger chose a value that the model knows: what it makes of that is no trusted source's.
  bool knows_extracted_ = false;
  Provenance provenance_;
  // What this conversation wrote, by path; what a program it ran may have written, anywhere.
  std::map<std::string, Label> written_;
  Label written_anywhere_ = Label::Clean();
  Label noted_ = Label::Clean();  // what this conversation put into its notes
};

}  // namespace nacre::policy
