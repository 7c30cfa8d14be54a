// Whose address was mistyped: of those that are known, the nearest to one that is not.

const MOST_APART = 3;
const MOST = 3;

// What to search for: the known addresses of the same person at another domain, and those that begin alike.
export function searchesFor(typed) {
  const text = typed.trim().toLowerCase();
  const name = text.split("@")[0];
  const beginning = text.slice(0, 3);
  return text.includes("@") && name.length > beginning.length ? [`${name}@`, beginning] : [beginning];
}

// The users with the nearest addresses, the nearest first; each once, none that is too far away.
export function nearest(typed, users) {
  const text = typed.trim().toLowerCase();
  const ranked = [...new Map(users.map((user) => [user.id, user])).values()]
    .map((user) => ({ user, apart: Math.min(...addressesOf(user).map((address) => distance(text, address))) }))
    .filter((each) => each.apart <= MOST_APART)
    .sort((a, b) => a.apart - b.apart);
  return ranked.slice(0, MOST).map(({ user }) => user);
}

// The same name at another provider is somebody else, or the same person.
function distance(one, other) {
  const isSameName = one.includes("@") && one.split("@")[0] === other.split("@")[0];
  return isSameName ? Math.min(apart(one, other), MOST_APART) : apart(one, other);
}

function addressesOf({ email, phone_number: number, username }) {
  return [email, number, username].filter(Boolean).map((address) => address.toLowerCase());
}

// How many letters are wrong, missing, too many or in the place of their neighbour (optimal string alignment).
export function apart(one, other) {
  let before = [];
  let last = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; ++i) {
    const row = [i];
    for (let j = 1; j <= other.length; ++j) {
      const isSame = one[i - 1] === other[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[other.length];
}
