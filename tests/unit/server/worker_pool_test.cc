#include "runtime/server/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

namespace nacre::server {
namespace {

TEST_CASE("a pool takes as many jobs as it has threads and places, and no more") {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(2, 1);
    const auto post = [&] { return pool.Post([&] { gone.wait(); }, [&] { ++ran; }); };
    CHECK(post());
    CHECK(post());
    CHECK(post());
    CHECK_FALSE(post());
    go.set_value();
  }
  CHECK(ran == 3);  // the destructor waited for them
}

TEST_CASE("whoever hears of a job's end finds its place free") {
  WorkerPool pool(1, 0);
  for (int i = 0; i < 1000; ++i) {
    std::promise<void> announced;
    REQUIRE(pool.Post([] {}, [&] { announced.set_value(); }));
    announced.get_future().wait();
  }
}

}  // namespace
}  // namespace nacre::server
