# Writes OUTPUT, which defines LaunchDigest() of messages.h: one digest of SOURCES.
set(digests "")
foreach(source IN LISTS SOURCES)
  file(SHA256 ${source} digest)
  string(APPEND digests ${digest})
endforeach()
string(SHA256 digest "${digests}")
file(WRITE ${OUTPUT} "#include <string>
namespace nacre::sandbox::zygote {
std::string LaunchDigest();
std::string LaunchDigest() {
  // One text in the program, whatever the optimiser would make of it: a test changes it there.
  const char* text = \"${digest}\";
  asm(\"\" : \"+r\"(text));
  return text;
}
}  // namespace nacre::sandbox::zygote
")
