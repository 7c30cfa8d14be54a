// How long codes waited until they were sent, of the classes that the statistics count: pure, as cause.js.

const CLASSES = [1, 2, 5, 10, 30, 60, 300];
const LATE = 600;

// Within how many seconds this share of them was sent; 0 where none was.
export function within(events, share) {
  const counts = [...CLASSES.map((seconds) => events[`OTP_SENT_${seconds}S`] ?? 0), events.OTP_SENT_LATE ?? 0];
  const wanted = share * counts.reduce((all, count) => all + count, 0);
  if (wanted === 0) return 0;
  let sofar = 0;
  const at = counts.findIndex((count) => (sofar += count) >= wanted);
  return CLASSES[at] ?? LATE;
}
