// Provenance: who named a value? Found by looking where it occurs among the texts that the model has
// read. No model is asked: the same texts and the same value give the same origin.
//
// Texts and values are compared in lower case, with runs of white space as one space, numbers also in
// the ways in which they are usually written (98.70, 98.7; 10,000), addresses in the network without
// their scheme.
//
//   stranger   a text that nobody vouches for holds the value. It outweighs everything else: when an
//              e-mail and the user name the same account, a person should look. But a bare name
//              ("Alice", "River Hotel": words without digits and signs) is the user's when the user says
//              it, although others say it as well; and one of a single word ("general"), which anybody
//              says by chance, a trusted source's when that names it and Names::kByAnyone allows.
//   user       the user's words hold it whole: "ann@b.c" is not found in "joann@b.c" or "ann@b.c.evil.net"
//   trusted    a source that the tool's manifest vouches for holds it whole
//   derived    nobody holds it, nor all the words that it is made of
//
// A value that is found nowhere is split into words; when each of them is found, it comes from the
// worst of their origins ("a@b.c, d@e.f" where a list was expected).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/flow.h"
#include "policy/label.h"

namespace nacre::policy {

// The texts of one context, each by whom it is vouched for. Grows only. Not thread-safe.
class Provenance final {
 public:
  enum class Voice { kStranger = 0, kTrusted, kUser };

  // Beyond 4 MiB of texts, no more are kept and every value is a stranger's from then on.
  void Add(Voice voice, std::string_view text);

  // Whether a bare word may be a trusted source's although strangers say it. Not where the value alone
  // does the harm: which account is closed, which file is deleted.
  enum class Names { kByUserOnly = 0, kByAnyone };

  // Of a short value. Empty ones are the user's: there is nothing in them.
  Origin OriginOf(std::string_view value, Names names) const;
  // Of a network place: also the host and the words of the rest, when the whole is found nowhere. Two origins
  // where a host is a stranger's and nobody wrote what stands behind it: that was made up, and goes to a stranger.
  std::vector<Origin> OriginsOfPlace(std::string_view place) const;
  // Of a text for people: kStranger when it was copied, three words or more and whole, from a text
  // that nobody vouches for, and the user does not say it; kDerived otherwise.
  Origin OriginOfText(std::string_view text) const;
  // Whether any text holds the value, in normal form, at the edges of words.
  bool Holds(const std::string& normal) const;

 private:
  struct Found {
    bool stranger = false;
    bool trusted = false;
    bool user = false;
  };
  Found Find(const std::string& value) const;
  Origin Whole(const std::string& value, Names names) const;
  Origin OriginOfRest(std::string_view rest, Origin host) const;

  std::string texts_[3];  // by Voice; normalised, each ended by a line break
  bool overflowed_ = false;
};

// Lower case, white space as single spaces, none at the ends.
std::string NormalText(std::string_view text);

inline constexpr size_t kPlacesMax = 64;

// The places in the network that a text names, each once: "https://a.b/c", "//a.b/c", "https:a.b", "www.a.b/c", "a.com",
// "1.2.3.4/c", and whatever dotted word ends like no file; also such a one within another ("a.b/?to=https://c.d").
// Normalised, without scheme, with \ as /; host parts of e-mail addresses are none. One more than kPlacesMax where
// there are too many.
std::vector<std::string> PlacesIn(std::string_view text);

}  // namespace nacre::policy
