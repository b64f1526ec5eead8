/* The protocol of the pool: admission, publishing, waking and sleeping, the waiting line, close,
 * drain and stop. docs/model.md tells what stands for what in the code, and what is left out.
 *
 * Set by check.py: SUBMITTERS, CAPACITY, and which parts are in:
 *   WAITERS n      that many submitters wait in line where they are refused
 *   STRAY_NOTICE   the line's strand has been notified for nobody
 *   POLLING        workers that need not be woken, where only admission is looked at
 *   ATOMIC_...     admission or taking in one step, where something else is looked at
 *   CHECK_REFUSALS whoever is refused must have come to a full pool
 *   CLOSER         somebody calls close() at any time
 *   STOPPER        somebody calls stop() at any time
 *   NESTED         the first job submits another
 *   LONG_JOB p     the job at position p ends last of all
 *   BUDGET         a turn may post itself again after each job
 *   STUCK          no worker ever comes back
 *   BREAK_...      one deliberate mistake, which has to be found
 *
 * SPDX-License-Identifier: BSL-1.0 */

#ifndef WAITERS
#define WAITERS 0
#endif
#define WORKERS 2
#define CALLERS (SUBMITTERS + WAITERS)
#ifdef NESTED
#define MOST_JOBS (CALLERS + 1)
#else
#define MOST_JOBS CALLERS
#endif

/* ── what the processors share ── */

/* admission_gate::word_: one atomic. All changes of it are locked. */
#define CLOSED 1
#define CANCELLING 2
#define DRAINED 4
#define WAITING 8
byte position, bits;
byte limit;                       /* admission_gate::limit_ */

/* job_ring: the marks by position, for the ring has more cells than the model has jobs. */
bool published[MOST_JOBS + 1];
byte head;

/* ledger. A worker counts with plain stores: own[] is what it has stored, tally[] what has left its
 * store buffer and can be seen by others. */
byte own[WORKERS], tally[WORKERS], elsewhere;

/* crew: one atomic, and the stack of slots, whose order does not matter here. */
byte idle, searchers;
bool alarmed, resting[WORKERS];

bool cancelling_flag;             /* pool_core::cancelling_ */

/* The executor: turns that are posted and not begun. */
bool posted[WORKERS], posted_searching[WORKERS];

/* waiting_line: its places, what is posted to its strand, the line itself, and the core's flag. */
#if WAITERS
byte places;
chan joining = [WAITERS] of { bit };
chan line = [WAITERS] of { bit };
bool notified;
byte serves_posted;
bool slots_awaited;
#endif

#ifdef BREAK_PUBLISH_IS_PLAIN
bool buffered[MOST_JOBS + 1];     /* the submitters' store buffers */
#endif

/* ── what only the proof knows ── */

byte in_flight;                   /* admitted and not yet ended, as they really are */
byte outcomes[MOST_JOBS + 1];
byte finishes;                    /* how often finish() was called */
byte callers_left = CALLERS;
#ifdef CHECK_REFUSALS
bool was_full[CALLERS + WORKERS + 1]; /* whether the pool was full since that caller came */
#define note_fullness(who) was_full[who] = is_full
#define note_refused_for_line(who) was_full[who] = true
#define assert_refusal(who) assert(answer != REFUSED_FULL || was_full[who]); was_full[who] = false
#else
#define note_fullness(who) skip
#define note_refused_for_line(who) skip
#define assert_refusal(who) skip
#endif

#define counted_in_flight (position - elsewhere - tally[0] - tally[1])
#define is_full (counted_in_flight >= CAPACITY)
#define slot_of_nobody 9

/* Every process has the same local variables; the inlines below use them by name. */
#define LOCALS byte h, g, p, b, l, f, i, answer; bool found

inline note_admission() {
#ifdef CHECK_REFUSALS
  if
  :: is_full ->
     do
     :: i <= CALLERS + WORKERS -> was_full[i] = true; i++
     :: else -> i = 0; break
     od
  :: else
  fi
#else
  skip
#endif
}

/* A locked operation by the thread that holds `slot` empties its store buffer. */
#define drain_buffer() \
  if \
  :: slot < WORKERS -> tally[slot] = own[slot] \
  :: else \
  fi

/* ── ledger::finished(): one tally after the other; a thread sees its own stores at once ── */

inline read_finished() {
  f = elsewhere;
  f = f + (slot == 0 -> own[0] : tally[0]);
  f = f + (slot == 1 -> own[1] : tally[1]);
}

/* ── job_queue::admit() ── */

#define REFUSED_FULL 0
#define REFUSED_CLOSED 1
#define ADMITTED 2

inline give_position() {
  p = position;
  position++; in_flight++;
  assert(in_flight <= CAPACITY);    /* the bound */
  drain_buffer();
  note_admission();
  answer = ADMITTED
}

#define closed_to(refusing) ((b & (refusing) & (CLOSED | CANCELLING | DRAINED)) != 0)
#define line_refuses(refusing) (!closed_to(refusing) && (b & (refusing) & WAITING) != 0)

#ifdef ATOMIC_ADMISSION
/* The same decision in one step; that it may be seen as one is what the other runs show. */
inline admit(who, refusing) {
  atomic {
    b = bits;
    if
    :: closed_to(refusing) -> answer = REFUSED_CLOSED
    :: line_refuses(refusing) -> answer = REFUSED_FULL
    :: (b & (refusing)) == 0 && is_full -> answer = REFUSED_FULL
    :: (b & (refusing)) == 0 && !is_full -> give_position()
    fi;
    b = 0
  }
}
#else
inline admit(who, refusing) {
  atomic {
    note_fullness(who);
    p = position; b = bits;
  }
#ifdef BREAK_FINISHED_BEFORE_POSITION
  read_finished();
  atomic { p = position; b = bits; }
#endif
  do
  :: closed_to(refusing) -> answer = REFUSED_CLOSED; break
  :: line_refuses(refusing) -> answer = REFUSED_FULL; note_refused_for_line(who); break
  :: (b & (refusing)) == 0 ->
     l = limit;
     if
     :: p >= l ->
#ifndef BREAK_FINISHED_BEFORE_POSITION
        read_finished();
#endif
        if
        :: p >= f + CAPACITY -> answer = REFUSED_FULL; break
        :: else
        fi;
        limit = f + CAPACITY
     :: else
     fi;
     atomic {
       if
#ifdef BREAK_ADMIT_WITHOUT_EXCHANGE
       :: true -> give_position(); break
#else
       :: position == p && bits == b -> give_position(); break
       :: else -> p = position; b = bits
#endif
       fi
     }
  od;
  atomic {
    assert_refusal(who);  /* no refusal without a reason */
    b = 0; l = 0; f = 0
  }
}
#endif

/* ── job_ring ── */

inline publish() {
#ifdef BREAK_PUBLISH_IS_PLAIN
  buffered[p] = true
#else
  atomic { published[p] = true; drain_buffer() }
#endif
}

#ifdef ATOMIC_TAKE
inline take() {
  atomic {
    if
    :: published[head] -> h = head; published[h] = false; head++; drain_buffer(); found = true
    :: else -> found = false
    fi
  }
}

inline look() { found = published[head] }
#else
inline take() {
  h = head;
  do
  :: published[h] ->
     atomic {
       if
       :: head == h ->
          head++; drain_buffer(); found = true; break
       :: else -> h = head
       fi
     }
  :: !published[h] ->
     if
     :: head == h -> found = false; break
     :: else -> h = head
     fi
  od;
  if
  :: found -> published[h] = false
  :: else
  fi
}

inline look() {
  g = head;
  found = published[g];
  g = 0
}
#endif

/* ── crew ── */

#define needs_wake (idle != 0 && searchers == 0)

/* Makes a resting slot a searcher and posts its turn. */
inline claim_wake_and_post() {
  atomic {
    if
    :: needs_wake ->
       idle--; searchers++;
       drain_buffer();
       if
       :: resting[0] -> resting[0] = false; posted[0] = true; posted_searching[0] = true
       :: !resting[0] && resting[1] -> resting[1] = false; posted[1] = true; posted_searching[1] = true
       fi
    :: else
    fi
  }
}

/* ── admission_gate::try_finish() and pool_core::finish() ── */

inline check_drained() {
  atomic { b = bits; drain_buffer() }
  if
  :: (b & CLOSED) != 0 && (b & DRAINED) == 0 ->
#ifdef BREAK_POSITION_BEFORE_FINISHED
     p = position;
     read_finished();
#else
     read_finished();
     p = position;
#endif
     if
     :: p == f ->
        atomic {
          b = bits;
          bits = bits | DRAINED;
          drain_buffer();
          if
#ifdef BREAK_DRAINED_BIT_NOT_ASKED
          :: true ->
#else
          :: (b & DRAINED) == 0 ->
#endif
             finishes++;
             assert(finishes == 1);     /* drained once */
             assert(in_flight == 0)     /* and only when nothing is in flight */
          :: else
          fi
        }
     :: else
     fi
  :: else
  fi;
  atomic { p = 0; b = 0; f = 0 }
}

/* ── pool_core::end_elsewhere(), sweep() and wake() ── */

/* tell_line() and waiting_line::notify(). The exchange is a locked operation. */
inline notify_line() {
#if WAITERS
  atomic {
    if
    :: !notified -> notified = true; serves_posted++
    :: else
    fi;
    drain_buffer()
  }
#else
  skip
#endif
}

inline notify_line_if_awaited() {
#if WAITERS
  if
  :: slots_awaited -> notify_line()
  :: else
  fi
#else
  skip
#endif
}

inline sweep() {
  do
  :: take();
     if
     :: found ->
        atomic {
          outcomes[h]++; assert(outcomes[h] == 1); in_flight--; elsewhere++; drain_buffer()
        }
        notify_line_if_awaited();
        check_drained()
     :: else -> break
     fi
  od;
  h = 0
}

inline wake() {
  if
  :: cancelling_flag -> sweep()
  :: else
  fi;
  look();
  if
  :: found -> found = false; claim_wake_and_post()
  :: else
  fi
}

inline wake_if_needed() {
#ifdef POLLING
  skip
#else
  if
  :: needs_wake || alarmed -> wake()
  :: else
  fi
#endif
}

inline publish_and_wake() {
#ifdef BREAK_LOOK_BEFORE_PUBLISH
  found = needs_wake || alarmed;
  publish();
  if
  :: found -> found = false; p = 0; wake()
  :: else
  fi
#else
  publish();
  p = 0;
  wake_if_needed()
#endif
}

/* ── a worker: turn::run(), next(), rest() ── */

#ifdef POLLING
/* A worker that needs not be woken, where only admission is looked at. */
proctype worker(byte slot) {
  LOCALS;
end_asleep:
  do
  :: published[head] ->
     take();
     if
     :: found ->
        atomic {
          outcomes[h]++; assert(outcomes[h] == 1); in_flight--;
          own[slot]++;
          h = 0; found = false
        }
     :: else -> h = 0
     fi
  od
}
#endif

#if !defined(STUCK) && !defined(POLLING)
proctype worker(byte slot) {
  LOCALS;
  byte job;
  bool searching;
end_asleep:
  do
  :: atomic { posted[slot] -> posted[slot] = false; searching = posted_searching[slot] };
     do
     :: take();
        if
        :: found ->
           job = h;
           if
           :: searching ->                  /* stop_searching() */
              atomic { searching = false; searchers--; drain_buffer() }
#ifndef BREAK_SEARCH_ENDS_WITHOUT_LOOK
              look();
              if
              :: found -> wake_if_needed()
              :: else
              fi
#endif
           :: else
           fi;
           if
           :: cancelling_flag ->            /* job.discard() */
              atomic {
                outcomes[job]++; assert(outcomes[job] == 1); in_flight--; elsewhere++;
                drain_buffer()
              }
              notify_line_if_awaited();
              check_drained()
           :: !cancelling_flag ->           /* job.run() */
#ifdef NESTED
              if
              :: job == 0 ->
                 admit(CALLERS + slot, CANCELLING | DRAINED);
                 if
                 :: answer == ADMITTED ->
                    publish_and_wake()
                 :: else
                 fi;
                 answer = 0
              :: else
              fi;
#endif
#ifdef LONG_JOB
              if
              :: job == LONG_JOB -> (callers_left == 0 && in_flight == 1)
              :: else
              fi;
#endif
              atomic {
                outcomes[job]++; assert(outcomes[job] == 1); in_flight--;
                own[slot]++                 /* tally::end(): a plain store */
              }
              notify_line_if_awaited()      /* after no more than a light fence */
           fi;
           atomic { h = 0; job = 0; found = false }
#ifdef BUDGET
           if
           :: true
           :: atomic { posted[slot] = true; posted_searching[slot] = false; drain_buffer() };
              goto end_asleep
           fi
#endif
        :: else ->
           h = 0;
           if
           :: searching
           :: !searching ->                 /* begin_search() */
              atomic {
                if
                :: searchers == 0 -> searchers++; searching = true; drain_buffer()
                :: else
                fi
              }
           fi;
           if
           :: searching ->                  /* linger(): may look, as often as it likes */
              if
              :: published[head] -> goto again
              :: true
              fi
           :: else
           fi;
           atomic {                         /* go_idle() */
             resting[slot] = true; idle++;
             searchers = (searching -> searchers - 1 : searchers); searching = false;
             drain_buffer()
           }
#ifndef BREAK_IDLE_WITHOUT_DRAIN_CHECK
           if
           :: (bits & CLOSED) != 0 -> check_drained()
           :: else
           fi;
#endif
#ifndef BREAK_IDLE_WITHOUT_LOOK
           look();
           if
           :: found -> claim_wake_and_post()   /* goes on with the slot it gets */
           :: else
           fi;
#endif
           atomic { found = false };
           break
        fi;
again:  skip
     od
  od
}

#endif

#ifndef STUCK
/* The store buffers: a plain store reaches the others some time later. */
proctype memory() {
end_empty:
  do
  :: atomic { own[0] != tally[0] -> tally[0]++ }
  :: atomic { own[1] != tally[1] -> tally[1]++ }
#ifdef BREAK_PUBLISH_IS_PLAIN
  :: atomic { buffered[0] -> buffered[0] = false; published[0] = true }
  :: atomic { buffered[1] -> buffered[1] = false; published[1] = true }
#endif
  od
}
#endif

/* ── who submits ── */

proctype submitter(byte me) {
  LOCALS;
  byte slot = slot_of_nobody;
  admit(me, CLOSED | CANCELLING | DRAINED | WAITING);
  if
  :: answer == ADMITTED -> publish_and_wake()
  :: else
  fi;
  atomic { callers_left--; answer = 0; p = 0 }
}

/* ── waiting_line ── */

#if WAITERS
inline heavy_fence() {
#ifndef BREAK_LINE_WITHOUT_FENCE
  atomic { tally[0] = own[0]; tally[1] = own[1] }
#else
  skip
#endif
}

proctype waiter(byte me) {
  LOCALS;
  byte slot = slot_of_nobody;
  admit(me, CLOSED | CANCELLING | DRAINED | WAITING);
  if
  :: answer == ADMITTED -> publish_and_wake(); callers_left--
  :: answer == REFUSED_CLOSED -> callers_left--
  :: answer == REFUSED_FULL ->
     places++;                              /* take_place() */
     bits = bits | WAITING;
     joining ! 0                            /* join(): the strand takes it from here */
  fi;
  answer = 0
}

/* The strand. */
proctype waiting_line() {
  LOCALS;
  byte slot = slot_of_nobody;
end_nothing_to_do:
  if
  :: atomic { joining ? 0 -> line ! 0 };    /* add() */
#ifndef BREAK_LINE_LOOKS_BEFORE_IT_RAISES
     slots_awaited = true;
     heavy_fence()
#endif
  :: atomic { serves_posted != 0 -> serves_posted-- }
  fi;
#ifndef BREAK_NOTICE_LOWERED_AFTER_THE_LOOK
  notified = false;
#endif
  do                                        /* serve() */
  :: empty(line) -> break
  :: nempty(line) ->
#ifdef BREAK_FIRST_IN_LINE_HAS_NO_PRIVILEGE
     admit(CALLERS + WORKERS, CLOSED | CANCELLING | DRAINED | WAITING);
#else
     admit(CALLERS + WORKERS, CLOSED | CANCELLING | DRAINED);
#endif
     if
     :: answer == REFUSED_FULL -> break
     :: else ->
        atomic { line ? 0; places-- };
        if
        :: answer == ADMITTED -> publish_and_wake()
        :: else
        fi;
        callers_left--
     fi
  od;
  answer = 0;
#ifdef BREAK_NOTICE_LOWERED_AFTER_THE_LOOK
  notified = false;
#endif
  slots_awaited = nempty(line);             /* mark_gates() */
  if
  :: nempty(line) -> bits = bits | WAITING
  :: empty(line) -> bits = bits & (15 - WAITING)
  fi;
  if
  :: places != len(line) -> bits = bits | WAITING
  :: else
  fi;
  goto end_nothing_to_do
}
#endif

/* ── who ends the pool ── */

#ifdef CLOSER
proctype closer() {
  LOCALS;
  byte slot = slot_of_nobody;
  bits = bits | CLOSED;                     /* crew_.synchronize() has no more to add here */
  notify_line();
  check_drained()
}
#endif

#ifdef STOPPER
proctype stopper() {
  LOCALS;
  byte slot = slot_of_nobody;
  bits = bits | CLOSED | CANCELLING;
  cancelling_flag = true;
#ifndef BREAK_STOP_WITHOUT_ALARM
  alarmed = true;
#endif
  notify_line();
  sweep();
  check_drained()
}
#endif

/* ── when nothing moves any more ── */

proctype the_end() {
  byte i;
  timeout ->
  atomic {
    assert(callers_left == 0);              /* everybody has been answered */
#ifdef STUCK
    assert(head == position);               /* nothing is left in the queue */
#else
    assert(in_flight == 0);
    assert(own[0] + own[1] + elsewhere == position);
#ifndef POLLING
    assert(idle == WORKERS && searchers == 0);
#endif
#endif
    do
    :: i < position -> assert(outcomes[i] == 1); i++  /* no job is lost */
    :: else -> break
    od;
    assert(((bits & CLOSED) != 0) == (finishes == 1));
#if WAITERS
    assert(empty(line) && places == 0 && !slots_awaited && (bits & WAITING) == 0)
#endif
  }
}

init {
  byte i;
  atomic {
    limit = 0;
#ifdef POLLING
    run worker(0); run worker(1); run memory();
#elif !defined(STUCK)
    idle = WORKERS;
    do
    :: i < WORKERS -> resting[i] = true; run worker(i); i++
    :: else -> break
    od;
    run memory();
#endif
    i = 0;
    do
    :: i < SUBMITTERS -> run submitter(i); i++
    :: else -> break
    od;
#if WAITERS
#ifdef STRAY_NOTICE
    notified = true; serves_posted = 1;
#endif
    do
    :: i < CALLERS -> run waiter(i); i++
    :: else -> break
    od;
    run waiting_line();
#endif
#ifdef CLOSER
    run closer();
#endif
#ifdef STOPPER
    run stopper();
#endif
    run the_end();
    i = 0
  }
}
