// Java's bounded pool: a ThreadPoolExecutor of fixed size over an ArrayBlockingQueue.
// SPDX-License-Identifier: BSL-1.0
//
// Usage: JavaPool flood SUBMITTERS WORKERS JOBS CAPACITY | trip WORKERS TRIPS
//   | asleep WORKERS TRIPS | refusal CALLS | futures WORKERS JOBS
// Prints nanoseconds per job, trip or call, once the compiler has had a first run to warm up.

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

public final class JavaPool {
  private static ThreadPoolExecutor pool(int workers, int capacity) {
    var pool = new ThreadPoolExecutor(
        workers, workers, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(capacity));
    pool.prestartAllCoreThreads();
    return pool;
  }

  private static boolean submit(ThreadPoolExecutor pool, Runnable job) {
    try {
      pool.execute(job);
      return true;
    } catch (RejectedExecutionException full) {
      return false;
    }
  }

  private static void finish(ThreadPoolExecutor pool) throws InterruptedException {
    pool.shutdown();
    pool.awaitTermination(1, TimeUnit.HOURS);
  }

  private static double flood(int submitters, int workers, int jobs, int capacity)
      throws InterruptedException {
    var pool = pool(workers, capacity);
    Runnable job = () -> {};
    int each = jobs / submitters;
    var threads = new Thread[submitters];
    long begin = System.nanoTime();
    for (int s = 0; s < submitters; s++) {
      threads[s] = new Thread(() -> {
        for (int i = 0; i < each; i++) {
          // As stand_back() of relax.hpp.
          for (boolean yield = false; !submit(pool, job); yield = !yield) {
            if (yield) {
              Thread.yield();
            } else {
              for (int pause = 0; pause < 256; pause++) Thread.onSpinWait();
            }
          }
        }
      });
      threads[s].start();
    }
    for (var thread : threads) thread.join();
    finish(pool);
    return (double) (System.nanoTime() - begin) / (each * submitters);
  }

  private static double trip(int workers, int trips) throws InterruptedException {
    var pool = pool(workers, 1024);
    var seen = new AtomicLong();
    long begin = System.nanoTime();
    for (long i = 1; i <= trips; i++) {
      long want = i;
      submit(pool, () -> seen.set(want));
      while (seen.get() != want) Thread.yield();
    }
    double spent = (double) (System.nanoTime() - begin) / trips;
    finish(pool);
    return spent;
  }

  // The pause lets the threads go to sleep.
  private static double asleep(int workers, int trips) throws InterruptedException {
    var pool = pool(workers, 1024);
    var back = new Semaphore(0);
    long spent = 0;
    for (int i = 0; i < trips; i++) {
      Thread.sleep(2);
      long begin = System.nanoTime();
      submit(pool, back::release);
      back.acquire();
      spent += System.nanoTime() - begin;
    }
    finish(pool);
    return (double) spent / trips;
  }

  private static double futures(int workers, int jobs)
      throws InterruptedException, ExecutionException {
    var pool = pool(workers, 1024);
    long begin = System.nanoTime();
    for (int i = 0; i < jobs; i++) {
      if (pool.submit(() -> 42).get() != 42) throw new IllegalStateException("a wrong result");
    }
    double spent = (double) (System.nanoTime() - begin) / jobs;
    finish(pool);
    return spent;
  }

  private static double refusal(int calls) throws InterruptedException {
    var pool = pool(1, 1);
    var busy = new CountDownLatch(1);
    var hold = new CountDownLatch(1);
    Runnable wait = () -> {
      busy.countDown();
      try {
        hold.await();
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    };
    submit(pool, wait);
    busy.await();
    submit(pool, wait);
    long begin = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      if (submit(pool, wait)) throw new IllegalStateException("a full pool took a job");
    }
    double spent = (double) (System.nanoTime() - begin) / calls;
    hold.countDown();
    finish(pool);
    return spent;
  }

  private static double run(String[] words)
      throws InterruptedException, ExecutionException {
    int[] n = new int[words.length];
    for (int i = 1; i < words.length; i++) n[i] = Integer.parseInt(words[i]);
    return switch (words[0]) {
      case "flood" -> flood(n[1], n[2], n[3], n[4]);
      case "trip" -> trip(n[1], n[2]);
      case "asleep" -> asleep(n[1], n[2]);
      case "futures" -> futures(n[1], n[2]);
      case "refusal" -> refusal(n[1]);
      default -> throw new IllegalArgumentException("unknown workload '" + words[0] + "'");
    };
  }

  public static void main(String[] words)
      throws InterruptedException, ExecutionException {
    run(words);
    System.out.println(run(words));
  }
}
