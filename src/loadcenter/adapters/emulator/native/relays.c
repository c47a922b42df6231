/* Contacts as they really move: later than they are driven, and bouncing. */
#include "emulator.h"

enum { CHATTER_LOW = CLOCK_HZ / 1000000 * 150, CHATTER_SPAN = CLOCK_HZ / 1000000 * 450 }; /* 150 to 600 us */

bool contact_closed(const contact_t* contact) {
  if (contact->relay.welded) return true;
  return !contact->relay.stuck_open && contact->state == 1;
}

int contact_throw(const contact_t* contact) {
  return contact->relay.throw_welded >= 0 ? contact->relay.throw_welded : contact->state;
}

static void plan(contact_t* contact, uint64_t at, int32_t state) {
  if (contact->move_count < MOVES) contact->moves[contact->move_count++] = (move_t){at, state};
}

/* It makes at `first`, lets go and makes again until the bounce is over. */
static void plan_making(contact_t* contact, uint64_t first, int32_t made, int32_t open, uint64_t* random) {
  const uint64_t settled = first + contact->relay.bounce;
  int32_t state = made;
  plan(contact, first, made);
  for (uint64_t at = first + CHATTER_LOW; at < settled && contact->move_count < MOVES - 2;
       at += CHATTER_LOW + random_next(random) % CHATTER_SPAN) {
    state = state == made ? open : made;
    plan(contact, at, state);
  }
  if (state != made) plan(contact, settled, made);
}

static void drive_changeover(contact_t* contact, bool on, uint64_t now, uint64_t* random) {
  const int32_t target = on ? 1 : 0;
  const uint64_t travel = on ? contact->relay.operate : contact->relay.release;
  if (contact->state == target) return;
  /* The moving contact leaves its throw in the last third of the travel. */
  if (contact->state >= 0) plan(contact, now + travel * 2 / 3, -1);
  plan_making(contact, now + travel, target, -1, random);
}

void contact_drive(contact_t* contact, bool on, uint64_t now, uint64_t* random) {
  if (on == contact->driven) return;
  contact->driven = on;
  contact->move_count = 0;
  if (contact->changeover) {
    drive_changeover(contact, on, now, random);
    return;
  }
  const int32_t target = on != (contact->relay.normally_closed != 0);
  const uint64_t delay = on ? contact->relay.operate : contact->relay.release;
  if (target == contact->state) return;
  if (target)
    plan_making(contact, now + delay, 1, 0, random);
  else
    plan(contact, now + delay, 0);
}

bool contact_move(contact_t* contact, uint64_t now) {
  bool moved = false;
  int done = 0;
  while (done < contact->move_count && contact->moves[done].at <= now) {
    moved |= contact->state != contact->moves[done].state;
    contact->state = contact->moves[done++].state;
  }
  for (int i = done; i < contact->move_count; i++) contact->moves[i - done] = contact->moves[i];
  contact->move_count -= done;
  return moved;
}

uint64_t contact_next(const contact_t* contact) {
  return contact->move_count ? contact->moves[0].at : UINT64_MAX;
}
