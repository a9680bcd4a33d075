#include "runtime/audit/bundle_codec.h"

#include <zstd.h>

#include <memory>

#include "runtime/audit/entry_reader.h"

namespace nacre::audit {
namespace {

// Cold data is written once: better than zstd's 3, and still some tens of megabytes a second.
constexpr int kLevel = 9;

Error Bad(const std::string& why) {
  return {ErrorCode::kDataLoss, "it is no compressed bundle: " + why};
}

}  // namespace

Result<std::string> CompressBundle(std::string_view bundle) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  std::string frame(ZSTD_compressBound(bundle.size()), '\0');
  size_t size = 0;
  if (context == nullptr ||
      ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel)) != 0 ||
      ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1)) != 0 ||
      ZSTD_isError(size = ZSTD_compress2(context.get(), frame.data(), frame.size(), bundle.data(),
                                         bundle.size())) != 0) {
    return Error{ErrorCode::kInternal, "zstd cannot compress a bundle"};
  }
  frame.resize(size);
  return frame;
}

Result<std::string> DecompressBundle(std::string_view frame) {
  // A library may know older formats too, by decoders that nobody looks after.
  if (!frame.starts_with("\x28\xB5\x2F\xFD")) {  // RFC 8878, section 3.1.1
    return Bad("it does not begin as a zstd frame");
  }
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) {
    return Bad("it does not begin as a zstd frame");
  }
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == 0) {
    return Bad("it does not say how much it holds");
  }
  if (size > kBundleBytesMax) {
    return Bad("it would hold " + std::to_string(size) + " bytes, and a bundle has at most " +
               std::to_string(kBundleBytesMax));
  }
  const size_t whole = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(whole) != 0) {
    return Bad(std::string("its frame is cut or damaged: ") + ZSTD_getErrorName(whole));
  }
  if (whole != frame.size()) {
    return Bad("more bytes follow its frame");
  }
  std::string bundle(static_cast<size_t>(size), '\0');
  const size_t done = ZSTD_decompress(bundle.data(), bundle.size(), frame.data(), frame.size());
  if (ZSTD_isError(done) != 0 || done != bundle.size()) {
    return Bad(ZSTD_isError(done) != 0 ? std::string("damaged: ") + ZSTD_getErrorName(done)
                                       : "it holds less than it says");
  }
  return bundle;
}

}  // namespace nacre::audit
