// nacre policy reference|schema: the language of policies, for people and for editors.
#include <cstdio>

#include "policy/language_docs.h"
#include "runtime/cli/command.h"

namespace nacre::cli {

void RegisterPolicyLanguage(CLI::App& policy, Globals& globals) {
  CLI::App* reference = policy.add_subcommand(
      "reference", "Every key of the language: its values, what holds without it, what it means");
  AddJsonFlag(*reference, globals);
  reference->callback([&globals] {
    std::fputs(globals.json ? (DumpJson(policy::ReferenceJson()) + "\n").c_str()
                            : policy::ReferenceTables().c_str(),
               stdout);
  });

  CLI::App* schema =
      policy.add_subcommand("schema", "The language as a JSON Schema (2020-12), for editors");
  AddJsonFlag(*schema, globals);
  schema->callback([&globals] {
    const OrderedJson document = policy::LanguageSchema();
    std::printf("%s\n", globals.json ? DumpJson(document).c_str() : document.dump(2).c_str());
  });
}

}  // namespace nacre::cli
